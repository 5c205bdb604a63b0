/** A file that is replaced in two steps, in memory. Calls back in a later turn, as the real one does. */
import { createHash } from "node:crypto";
import { textBytes } from "../../src/base/byte_text.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type {
  FileContent,
  PendingFile,
  PendingFileState,
} from "../../src/platform/types/pending_file.ts";

export class MemoryPendingFile implements PendingFile {
  readonly path: string;
  text: string | undefined;
  next: string | undefined;
  /** Why calls fail. */
  failure: string | undefined;

  constructor(text: string, path = "/etc/ctdb/nodes") {
    this.path = path;
    this.text = text;
  }

  look(done: (outcome: Result<PendingFileState>) => void): void {
    const state = { present: contentOf(this.text), next: contentOf(this.next) };
    setImmediate(() => done(ok(state)));
  }

  prepare(text: string, done: (outcome: Result<void>) => void): void {
    this.#act(done, () => {
      this.next = text;
    });
  }

  install(done: (outcome: Result<void>) => void): void {
    this.#act(done, () => {
      this.text = this.next;
      this.next = undefined;
    });
  }

  drop(done: (outcome: Result<void>) => void): void {
    this.#act(done, () => {
      this.next = undefined;
    });
  }

  #act(done: (outcome: Result<void>) => void, action: () => void): void {
    const { failure } = this;
    if (failure === undefined) action();
    setImmediate(() => done(failure === undefined ? ok(undefined) : err(failure)));
  }
}

export function digestOf(text: string): string {
  return createHash("sha256").update(textBytes(text)).digest("hex");
}

function contentOf(text: string | undefined): FileContent | undefined {
  return text === undefined ? undefined : { text, digest: digestOf(text) };
}
