/**
 * Reads the arguments of a command as its row writes them: `<dbname|dbid> <key> [readonly]`, `on|off`,
 * `<dbname|dbid> ...`, `[all|<pnn-list>]`. Completion and the checks of examples follow from it.
 */

/** Something to type as it stands, or a name for what is to be filled in. */
type Alternative = { readonly word: string } | { readonly placeholder: string };

export interface Argument {
  readonly alternatives: readonly Alternative[];
  readonly optional: boolean;
  /** It may come any number of times more. */
  readonly repeated: boolean;
}

/** Placeholders that rows write like words. */
const BARE_PLACEHOLDERS = ["count", "dbname"];

export function parseArguments(text: string): readonly Argument[] {
  const parsed: Argument[] = [];
  for (const part of splitOutside(text, " ")) {
    const last = parsed.at(-1);
    if (part === "...") {
      if (last !== undefined) parsed[parsed.length - 1] = { ...last, repeated: true };
    } else if (part.startsWith("[")) {
      const inner = parseArguments(part.slice(1, -1));
      parsed.push(...inner.map((argument) => ({ ...argument, optional: true })));
    } else {
      const alternatives = splitOutside(part, "|").map(alternative);
      parsed.push({ alternatives, optional: false, repeated: false });
    }
  }
  return parsed;
}

function alternative(text: string): Alternative {
  if (text.includes("<")) return { placeholder: text.replace(/[<>]/g, "") };
  return BARE_PLACEHOLDERS.includes(text) ? { placeholder: text } : { word: text };
}

/** Separators between brackets of either kind do not count. */
function splitOutside(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const letter of text) {
    if ("<[".includes(letter)) depth += 1;
    if (">]".includes(letter)) depth -= 1;
    if (letter === separator && depth === 0) {
      parts.push(part);
      part = "";
    } else {
      part += letter;
    }
  }
  return [...parts, part].filter((each) => each !== "");
}
