/**
 * `--json` of a command: one document on standard output, or one about the failure on standard error.
 *
 * 1. A command gives its facts to `answerFacts`, which adds the version of the schema. Names are snake_case; numbers are
 *    numbers; what is not known is null; bytes that are no text are hex, under a name that ends in `_hex`.
 * 2. Whatever text it says besides is kept: it becomes the messages of the failure, or `warnings` on standard error.
 * 3. A command that only acts answers with the node that it acted on, and what it said about it.
 */
import { complaintDocument, documentLine, documentText } from "../base/json_document.ts";
import type { CommandRow } from "./command.ts";
import type { FailureKind } from "./failure.ts";
import type { ToolHost } from "./host.ts";
import type { ActedFacts } from "./schemas/acted.ts";

interface Said {
  readonly to: "out" | "err";
  readonly text: string;
}

/** What a command has said, while its answer is a document. */
export class KeptTexts {
  readonly host: ToolHost;
  #said: Said[] = [];
  #answered = false;

  constructor(host: ToolHost) {
    const keep = (to: Said["to"]) => (text: string | Uint8Array) => {
      this.#said.push({ to, text: typeof text === "string" ? text : "" });
    };
    this.host = {
      ...host,
      out: keep("out"),
      err: keep("err"),
      facts: (text) => {
        this.#answered = true;
        host.out(text);
      },
      acted: (node) => this.#answerActed(node),
    };
  }

  /** A document went out. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Lines, in the order in which they came. */
  get lines(): readonly string[] {
    return linesOf(this.#said);
  }

  /** For a command that only acts: what it said on standard output is no warning, but part of the document. */
  #answerActed(node: number | null): void {
    const messages = [...linesOf(this.#said.filter(({ to }) => to === "out"))];
    this.#said = this.#said.filter(({ to }) => to === "err");
    answerFacts(this.host, { node, messages } satisfies ActedFacts);
  }
}

function linesOf(said: readonly Said[]): readonly string[] {
  const text = said.map((each) => each.text).join("");
  return text.split("\n").filter((line) => line !== "");
}

/** The answer of a command to --json. */
export function answerFacts(host: ToolHost, facts: object): void {
  answerText(host, documentText(facts));
}

/** As `answerFacts`, in one line: of a command that answers again and again. */
export function answerFactsLine(host: ToolHost, facts: object): void {
  answerText(host, documentLine(facts));
}

function answerText(host: ToolHost, text: string): void {
  if (host.facts === undefined) host.out(text);
  else host.facts(text);
}

/**
 * The answer in pieces: facts, of which the last is a list that grows, and may be longer than what memory should
 * hold at once. Each item is a line.
 */
export class ListAnswer<Item extends object> {
  readonly #host: ToolHost;
  #isEmpty = true;

  constructor(host: ToolHost, head: object, list: string) {
    this.#host = host;
    const open = documentText(head).replace(/\n\}\n$/, "");
    answerText(host, `${open},\n  ${JSON.stringify(list)}: [`);
  }

  add(item: Item): void {
    answerText(this.#host, `${this.#isEmpty ? "\n" : ",\n"}    ${JSON.stringify(item)}`);
    this.#isEmpty = false;
  }

  /** `tail`: facts that come after the list. */
  end(tail: object): void {
    const text = JSON.stringify(tail, null, 2).replace(/^\{/, "");
    answerText(this.#host, `${this.#isEmpty ? "" : "\n  "}],${text}\n`);
  }
}

/** What standard error gets: why the command failed, or what it warns of. */
export function failureDocument(
  row: CommandRow | undefined,
  status: number,
  kind: FailureKind,
  messages: readonly string[],
): string {
  return complaintDocument({ command: row?.name ?? null, kind, status, messages });
}
