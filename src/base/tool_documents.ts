/**
 * `--json` of the small tools: one document on standard output, or one about the failure on standard error.
 *
 * 1. What a tool says while its answer is a document is kept: it becomes the messages of a failure. Beside an answer
 *    only what it says on standard error is left, as warnings; the rest is in the answer.
 * 2. The exit status is the one without --json.
 */
import { complaintDocument, documentText } from "./json_document.ts";

/** What a tool says; `facts` and `misused` are there while its answer is a document. */
export interface ToolOutput {
  out(text: string): void;
  err(text: string): void;
  /** Takes the place of what is said on success. */
  facts?(facts: object): void;
  /** The command line is wrong. */
  misused?(): void;
}

export class ToolDocuments<Host extends ToolOutput> {
  /** What the tool is given in place of its host. */
  readonly host: Host;
  readonly #host: Host;
  readonly #command: string;
  #said = "";
  #complained = "";
  #answered = false;
  #misused = false;

  /** `command`: of errors. */
  constructor(host: Host, command: string) {
    this.#host = host;
    this.#command = command;
    this.host = {
      ...host,
      out: (text: string) => {
        this.#said += text;
      },
      err: (text: string) => {
        this.#said += text;
        this.#complained += text;
      },
      facts: (facts: object) => {
        this.#answered = true;
        host.out(documentText(facts));
      },
      misused: () => {
        this.#misused = true;
      },
    };
  }

  /** Says what is left to say, and gives the status back. */
  end(status: number): number {
    const text = this.#answered ? this.#complained : this.#said;
    const messages = text.split("\n").filter((line) => line !== "");
    if (this.#answered && messages.length === 0) return status;
    const kind = this.#misused ? "usage" : "failed";
    this.#host.err(complaintDocument({ command: this.#command, kind, status, messages }));
    return status;
  }
}
