/**
 * Text in the form of ctdb.conf → values of a table of options, or every problem of the file at once.
 *
 * 1. A value that is wrong never falls back to its default silently: it is an error.
 * 2. Unknown sections and names are ignored with a problem, so that a file of a newer release still starts a node.
 * 3. Of an option that is given twice the last one counts, as in the original, with a warning.
 */
import * as v from "valibot";
import { didYouMean } from "../base/suggestion.ts";
import { type IniLine, parseIni } from "./ini.ts";
import {
  type AnyOption,
  type ConfigOption,
  type OptionContext,
  type OptionTable,
  optionPath,
} from "./option_table.ts";
import { ProblemList, quoted } from "./problems.ts";
import type { ConfigProblem } from "./types.ts";

/** An option of a table, as a file could say it. */
export interface OptionText {
  readonly section: string;
  readonly name: string;
  /** Empty for what has no value; words as the file has them, numbers and truth values in one form. */
  readonly text: string;
  /** The same with its type; null for what has no value. */
  readonly value: string | number | boolean | null;
  /** The file says something else than the default. */
  readonly given: boolean;
}

export class OptionReader {
  readonly #table: OptionTable;
  readonly #context: OptionContext;
  readonly #problems: ProblemList;
  readonly #values = new Map<AnyOption, unknown>();
  /** The values as the file has them. */
  readonly #written = new Map<AnyOption, string>();
  readonly #lines = new Map<AnyOption, number>();
  /** undefined before the first section, null inside an unknown one. */
  #section: string | null | undefined;

  /** `file` names the source in problems. */
  constructor(table: OptionTable, file: string, context: OptionContext) {
    this.#table = table;
    this.#context = context;
    this.#problems = new ProblemList(file);
  }

  read(text: string): void {
    for (const line of parseIni(text)) this.#take(line);
  }

  problems(): readonly ConfigProblem[] {
    return this.#problems.all();
  }

  get<T>(option: ConfigOption<T>): T {
    const key = option as unknown as AnyOption;
    return this.#values.has(key)
      ? (this.#values.get(key) as T)
      : option.defaultValue(this.#context.paths);
  }

  /** Every option, in the order of the table. */
  texts(): readonly OptionText[] {
    return this.#table.options.map((option) => {
      const { section, name } = option;
      const standard = option.defaultValue(this.#context.paths);
      const isWord = typeof standard !== "number" && typeof standard !== "boolean";
      const read = this.get(option);
      const text = (isWord ? this.#written.get(option) : undefined) ?? this.textOf(option);
      const typed = typeof read === "number" || typeof read === "boolean";
      return {
        section,
        name,
        text,
        value: read === undefined ? null : typed && !isWord ? read : text,
        given: this.#values.has(option) && text !== String(standard),
      };
    });
  }

  /** The file says something else than the default; another spelling of the same (OptionText.given) is not. */
  isGiven(option: AnyOption): boolean {
    const standard = option.defaultValue(this.#context.paths);
    return this.#values.has(option) && String(this.get(option)) !== String(standard);
  }

  /** As a file could say it; empty for what has no value. */
  textOf(option: AnyOption): string {
    const value = this.get(option);
    return value === undefined ? "" : String(value);
  }

  #take(line: IniLine): void {
    switch (line.kind) {
      case "malformed":
        this.#problems.error(line.line, line.reason);
        return;
      case "section":
        this.#enterSection(line.line, line.name);
        return;
      case "option":
        this.#takeOption(line.line, line.name, line.value);
        return;
    }
  }

  #enterSection(line: number, name: string): void {
    const { sections } = this.#table;
    const section = name.toLowerCase();
    this.#section = sections.includes(section) ? section : null;
    if (this.#section !== null) return;
    const near = didYouMean(section, sections);
    this.#problems.unknown(
      line,
      `expected one of the sections ${sections.join(", ")}, got ${quoted(name)}${near}; what it holds is ignored`,
    );
  }

  #takeOption(line: number, name: string, value: string): void {
    const section = this.#section;
    // What an unknown section holds was told of with the section.
    if (section === null) return;
    if (section === undefined) {
      const place = this.#elsewhere(name);
      const given = quoted(`${name} = ${value}`);
      this.#problems.unknown(line, `expected a section before ${given}${place}; it is ignored`);
      return;
    }
    const option = this.#table.find(section, name);
    if (option === undefined) {
      const near = this.#elsewhere(name) || didYouMean(name, this.#table.namesIn(section));
      const expected = `expected an option of [${section}]`;
      this.#problems.unknown(line, `${expected}, got ${quoted(name)}${near}; it is ignored`);
      return;
    }
    const path = optionPath(option);
    const earlier = this.#lines.get(option);
    if (earlier !== undefined) {
      this.#problems.warning(line, `stands in line ${earlier} already; the last one counts`, path);
    }
    this.#lines.set(option, line);
    const wrong = this.#setValue(option, value);
    if (wrong !== undefined) this.#problems.error(line, `${wrong}, got ${quoted(value)}`, path);
    else if (option.deprecated !== undefined) {
      this.#problems.warning(line, `deprecated: ${option.deprecated}`, path);
    }
  }

  /** What was expected when the value is not it. */
  #setValue(option: AnyOption, value: string): string | undefined {
    const parsed = v.safeParse(option.schema, value, { abortPipeEarly: true });
    if (!parsed.success) return parsed.issues[0].message;
    const wrong = option.check?.(parsed.output, this.#context);
    if (wrong !== undefined) return wrong;
    this.#values.set(option, parsed.output);
    this.#written.set(option, value);
    return undefined;
  }

  /** The name is right, the section is not. */
  #elsewhere(name: string): string {
    const [section] = this.#table.sectionsOf(name.toLowerCase());
    if (section === undefined || section === this.#section) return "";
    return ` (did you mean "${optionPath({ section, name: name.toLowerCase() })}"?)`;
  }
}
