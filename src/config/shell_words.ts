/**
 * Text of a shell, cut into commands and words as the shell does it. Nothing is run and nothing is looked up: what
 * only a shell can know (a variable, the output of a command) is marked as such.
 */
export interface ShellWord {
  /** Without quotes; of what only a shell can know it has the text as it stands. */
  readonly text: string;
  /** Its value depends on a variable, a command or a home directory. */
  readonly expands: boolean;
}

export interface ShellCommand {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly words: readonly ShellWord[];
}

/** `unended`: a quote or a bracket that the text does not close, with the line where it was opened. */
export interface ShellText {
  readonly commands: readonly ShellCommand[];
  readonly unended: { readonly line: number; readonly what: string } | undefined;
}

const SEPARATORS = "\n;&|()";
const BLANKS = " \t\r";
/** Of brackets in brackets: nobody writes more, and each costs a call. */
const NESTED_MAX = 50;

/** One pass; each letter is looked at once, but for the insides of brackets, which are skipped. */
export function shellCommands(text: string): ShellText {
  return new ShellReader(text).read();
}

class ShellReader {
  readonly #text: string;
  readonly #commands: ShellCommand[] = [];
  #at = 0;
  #line = 1;
  #words: ShellWord[] = [];
  #commandLine = 1;
  #depth = 0;
  #unended: ShellText["unended"];

  constructor(text: string) {
    this.#text = text;
  }

  read(): ShellText {
    while (this.#at < this.#text.length && this.#unended === undefined) {
      const letter = this.#text[this.#at] as string;
      if (SEPARATORS.includes(letter)) {
        this.#endCommand();
        this.#step();
      } else if (BLANKS.includes(letter)) this.#step();
      else if (this.#text.startsWith("\\\n", this.#at)) this.#step(2);
      else if (letter === "#") this.#skipTo("\n");
      else this.#readWord();
    }
    this.#endCommand();
    return { commands: this.#commands, unended: this.#unended };
  }

  #endCommand(): void {
    if (this.#words.length > 0) {
      this.#commands.push({ line: this.#commandLine, words: this.#words });
    }
    this.#words = [];
  }

  #readWord(): void {
    if (this.#words.length === 0) this.#commandLine = this.#line;
    const parts: string[] = [];
    let expands = false;
    while (this.#at < this.#text.length && this.#unended === undefined) {
      const letter = this.#text[this.#at] as string;
      if (SEPARATORS.includes(letter) || BLANKS.includes(letter)) break;
      if (letter === "'") parts.push(this.#singleQuoted());
      else if (letter === '"') expands = this.#doubleQuoted(parts) || expands;
      else if (letter === "\\") parts.push(this.#escaped());
      else if (letter === "$" || letter === "`") {
        parts.push(this.#expansion());
        expands = true;
      } else {
        // The home directory of somebody. A pattern is not expanded where it is assigned.
        expands ||= letter === "~" && [undefined, "=", ":"].includes(parts.at(-1));
        parts.push(letter);
        this.#step();
      }
    }
    if (this.#unended === undefined) this.#words.push({ text: parts.join(""), expands });
  }

  #singleQuoted(): string {
    const opened = this.#line;
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) {
      this.#giveUp(opened, "'");
      return "";
    }
    const inside = this.#text.slice(this.#at + 1, end);
    this.#step(end + 1 - this.#at);
    return inside;
  }

  /** Does it expand? */
  #doubleQuoted(parts: string[]): boolean {
    const opened = this.#line;
    let expands = false;
    this.#step();
    while (this.#at < this.#text.length) {
      const letter = this.#text[this.#at] as string;
      if (letter === '"') {
        this.#step();
        return expands;
      }
      if (letter === "\\") parts.push(this.#escapedInQuotes());
      else if (letter === "$" || letter === "`") {
        parts.push(this.#expansion());
        expands = true;
      } else {
        parts.push(letter);
        this.#step();
      }
    }
    this.#giveUp(opened, '"');
    return expands;
  }

  #escaped(): string {
    const next = this.#text[this.#at + 1] ?? "\\";
    this.#step(2);
    return next === "\n" ? "" : next;
  }

  /** Between double quotes a backslash is one unless these follow it. */
  #escapedInQuotes(): string {
    const next = this.#text[this.#at + 1] ?? "";
    if (next !== "" && '$`"\\\n'.includes(next)) return this.#escaped();
    this.#step();
    return "\\";
  }

  /** What only a shell can know, as it stands. */
  #expansion(): string {
    const start = this.#at;
    const opened = this.#line;
    const next = this.#text[start + 1];
    if (this.#text[start] === "`") {
      this.#step();
      if (!this.#skipTo("`")) this.#giveUp(opened, "`");
      this.#step();
    } else if (next === "(" || next === "{") {
      this.#step(2);
      this.#skipBrackets(next, next === "(" ? ")" : "}", opened);
    } else {
      this.#step();
    }
    return this.#text.slice(start, this.#at);
  }

  /** Up to the bracket that closes; those in quotes, and in what expands itself, are not it. */
  #skipBrackets(open: string, close: string, opened: number): void {
    this.#depth += 1;
    let brackets = this.#depth > NESTED_MAX ? 0 : 1;
    while (brackets > 0 && this.#at < this.#text.length) {
      const letter = this.#text[this.#at] as string;
      if (letter === "'" && open === "(") this.#singleQuoted();
      else if (letter === '"') this.#doubleQuoted([]);
      else if (letter === "$" || letter === "`") this.#expansion();
      else {
        if (letter === open) brackets += 1;
        if (letter === close) brackets -= 1;
        this.#step(letter === "\\" ? 2 : 1);
      }
    }
    if (brackets > 0 || this.#depth > NESTED_MAX) this.#giveUp(opened, `$${open}`);
    this.#depth -= 1;
  }

  /** Not over it; false when it does not come. */
  #skipTo(letter: string): boolean {
    const found = this.#text.indexOf(letter, this.#at);
    this.#step((found < 0 ? this.#text.length : found) - this.#at);
    return found >= 0;
  }

  #giveUp(line: number, what: string): void {
    this.#unended ??= { line, what };
    this.#at = this.#text.length;
  }

  #step(letters = 1): void {
    for (let i = 0; i < letters; i++) {
      if (this.#text[this.#at] === "\n") this.#line += 1;
      this.#at += 1;
    }
  }
}
