/**
 * A log file (or standard error) that never holds up its writer.
 *
 * Invariants:
 * 1. Writing is asynchronous, one batch at a time on the runtime's threads: a slow disk delays lines,
 *    not the event loop. `flush` writes at once, for a process that ends.
 * 2. The queue is bounded; what does not fit or cannot be written is counted, and the count is written
 *    when writing works again.
 * 3. After a rename, `reopen` makes lines go to a new file at the path; what was queued before goes to
 *    the old one. Standard output and error that went to the same file go with it, the runtime's own last words, and
 *    so do copies of them that a runtime makes: the old file is let go.
 */
import * as fs from "node:fs";
import { pause } from "#program";
import { textBytes } from "../../base/byte_text.ts";
import type { SystemError } from "../../base/errors.ts";
import { done, err, ok, type Result } from "../../base/result.ts";
import { REDIRECT_FUNCTIONS } from "../libc/functions.ts";
import { openLibc, systemErrorFrom } from "../libc/libc.ts";
import { pathForCall } from "./path.ts";

const QUEUE_BYTES_MAX = 4 << 20;
const LOG_FILE_MODE = 0o644;
const STDERR = 2;
const OWN_DESCRIPTORS = "/proc/self/fd";
const O_CLOEXEC = 0o2000000;
/** How long a flush waits for a batch that a thread is writing just now. */
const IN_FLIGHT_WAIT_MS = 20;

export class LogFile {
  /** Undefined: standard error, which is never reopened. */
  readonly #path: string | undefined;
  /** Makes the line that tells of lost ones. */
  readonly #lostLine: (count: number, code: string) => string;
  #descriptor: number;
  #queue: string[] = [];
  #queueBytes = 0;
  #scheduled = false;
  #writing = false;
  #lost = 0;
  #lostCode = "";
  /** Closed when the batch that is being written is done. */
  #retired: number[] = [];
  #whenIdle: (() => void)[] = [];

  private constructor(
    path: string | undefined,
    descriptor: number,
    lostLine: (count: number, code: string) => string,
  ) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#lostLine = lostLine;
  }

  static open(
    path: string | undefined,
    lostLine: (count: number, code: string) => string,
  ): Result<LogFile, SystemError> {
    if (path === undefined) return ok(new LogFile(undefined, STDERR, lostLine));
    const opened = openForAppend(path);
    return opened.ok ? ok(new LogFile(path, opened.value, lostLine)) : opened;
  }

  write(lines: string): void {
    if (this.#queueBytes + lines.length > QUEUE_BYTES_MAX) {
      this.#lost += 1;
      this.#lostCode = "EAGAIN";
      return;
    }
    this.#queue.push(lines);
    this.#queueBytes += lines.length;
    this.#schedule();
  }

  /** On failure lines go on to where they went before. */
  reopen(): Result<void, SystemError> {
    if (this.#path === undefined) return done;
    const opened = openForAppend(this.#path);
    if (!opened.ok) return opened;
    // What is queued belongs to the time before.
    this.#writeQueueNow();
    const old = this.#descriptor;
    redirectOthers(old, opened.value);
    this.#descriptor = opened.value;
    if (this.#writing) this.#retired.push(old);
    else fs.closeSync(old);
    return done;
  }

  /** Written when this returns, behind all that waits; false when it could not be. */
  writeLast(lines: string): boolean {
    this.#queue.push(lines);
    this.flush();
    return this.#lost === 0;
  }

  /** Resolves when nothing waits and no thread writes: a process that ends now loses nothing. */
  idle(): Promise<void> {
    if (!this.#writing && this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Everything queued is written when this returns, as far as it can be. For the end of a process. */
  flush(): void {
    if (this.#writing) pause(IN_FLIGHT_WAIT_MS);
    this.#writeQueueNow();
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#writeBatch();
    });
  }

  #writeBatch(): void {
    if (this.#writing || this.#queue.length === 0) return;
    const lines = this.#queue.length;
    const bytes = this.#takeQueue();
    this.#writing = true;
    const writeFrom = (at: number) => {
      fs.write(this.#descriptor, bytes, at, bytes.length - at, null, (error, written) => {
        if (error === null && at + written < bytes.length && written > 0) {
          writeFrom(at + written);
          return;
        }
        this.#writing = false;
        this.#account(error, lines);
        for (const descriptor of this.#retired.splice(0)) fs.closeSync(descriptor);
        if (this.#queue.length > 0) this.#schedule();
        else for (const resolve of this.#whenIdle.splice(0)) resolve();
      });
    };
    writeFrom(0);
  }

  #writeQueueNow(): void {
    if (this.#queue.length === 0) return;
    const lines = this.#queue.length;
    const bytes = this.#takeQueue();
    try {
      for (let at = 0; at < bytes.length; ) at += fs.writeSync(this.#descriptor, bytes, at);
      this.#account(null, lines);
    } catch (error) {
      this.#account(error, lines);
    }
  }

  #takeQueue(): Uint8Array {
    let text = "";
    if (this.#lost > 0 && this.#queueBytes < QUEUE_BYTES_MAX) {
      text = this.#lostLine(this.#lost, this.#lostCode);
    }
    text += this.#queue.join("");
    this.#queue = [];
    this.#queueBytes = 0;
    return textBytes(text);
  }

  #account(error: unknown, lines: number): void {
    if (error === null) {
      this.#lost = 0;
      return;
    }
    this.#lost += lines;
    this.#lostCode = systemErrorFrom(error, "write", this.#path ?? "stderr").code;
  }
}

/** Has every other descriptor of the file `from` be one of `to`. */
function redirectOthers(from: number, to: number): void {
  for (const name of fs.readdirSync(OWN_DESCRIPTORS)) {
    const descriptor = Number(name);
    if (descriptor === from || descriptor === to || !isSameFile(descriptor, from)) continue;
    openLibc(REDIRECT_FUNCTIONS).dup3(to, descriptor, descriptor > STDERR ? O_CLOEXEC : 0);
  }
}

function isSameFile(one: number, other: number): boolean {
  try {
    // Not fstat, for which a runtime may make one more copy.
    const [a, b] = [one, other].map((descriptor) =>
      fs.statSync(`${OWN_DESCRIPTORS}/${descriptor}`),
    );
    return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
  } catch {
    // One of them is closed.
    return false;
  }
}

function openForAppend(path: string): Result<number, SystemError> {
  try {
    return ok(fs.openSync(pathForCall(path), "a", LOG_FILE_MODE));
  } catch (error) {
    return err(systemErrorFrom(error, "open", path));
  }
}
