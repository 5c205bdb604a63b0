/**
 * `--json` of a command: one document on standard output, or one about the failure on standard error.
 *
 * 1. A command gives its facts to `answerFacts`, which adds the version of the schema. Names are snake_case; numbers are
 *    numbers; what is not known is null; bytes that are no text are hex, under a name that ends in `_hex`.
 * 2. Whatever text it says besides is kept: it becomes the messages of the failure, or `warnings` on standard error.
 */
import type { CommandRow } from "./command.ts";
import type { FailureKind } from "./failure.ts";
import type { ToolHost } from "./host.ts";

/** Goes up when a field changes its meaning or is taken away; a new one may come at any time. */
const SCHEMA_VERSION = 1;

/** Standard output and error of a command whose texts are kept. */
export interface KeptTexts {
  readonly host: ToolHost;
  /** Lines, in the order in which they came. */
  readonly lines: () => readonly string[];
  /** A document went out. */
  readonly answered: () => boolean;
}

export function keepTexts(host: ToolHost): KeptTexts {
  let text = "";
  let answered = false;
  const keep = (more: string | Uint8Array) => {
    text += typeof more === "string" ? more : "";
  };
  return {
    host: {
      ...host,
      out: keep,
      err: keep,
      facts(document) {
        answered = true;
        host.out(document);
      },
    },
    lines: () => text.split("\n").filter((line) => line !== ""),
    answered: () => answered,
  };
}

/** The answer of a command to --json. */
export function answerFacts(host: ToolHost, facts: object): void {
  const text = documentText({ schema_version: SCHEMA_VERSION, ...facts });
  if (host.facts === undefined) host.out(text);
  else host.facts(text);
}

/** What standard error gets: why the command failed, or what it warns of. */
export function failureDocument(
  row: CommandRow | undefined,
  status: number,
  kind: FailureKind,
  messages: readonly string[],
): string {
  const command = row?.name ?? null;
  const content =
    status === 0 ? { warnings: messages } : { error: { command, kind, status, messages } };
  return documentText({ schema_version: SCHEMA_VERSION, ...content });
}

function documentText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
