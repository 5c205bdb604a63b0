/** What completion knows of a program, as terms of its page. */
import type { Grammar, GrammarOption } from "../completion/grammar.ts";

type Term = readonly [term: string, meaning: string];

export function commandTerms({ commands }: Grammar): readonly Term[] {
  return commands.map(({ name, args, summary }) => [`${name} ${args}`.trim(), sentence(summary)]);
}

export function optionTerms({ options }: Grammar): readonly Term[] {
  return options.map((option) => [optionTerm(option), sentence(option.help)]);
}

/** `-f FILE`, `-d, --debug=LEVEL`. */
function optionTerm({ names, value }: GrammarOption): string {
  if (value === undefined) return names.join(", ");
  const shown = value.replace(/<([^>]*)>/g, (_, name: string) => name.toUpperCase());
  const last = names.at(-1) ?? "";
  return `${names.join(", ")}${last.startsWith("--") ? "=" : " "}${shown}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
