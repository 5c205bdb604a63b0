/**
 * A coordinator as a child process: `HELPER FD SOCKET ARGUMENTS…`, ours or any other that keeps the
 * contract. It writes a 32-bit status to FD, 0 for success; one that ends without has failed. Ours says why with the last
 * line that it prints.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { Processes } from "../platform/types/processes.ts";
import type { Timer, Timers } from "../platform/types/time.ts";

/** The status pipe's number in the child (platform/types/processes.ts, SpawnOptions). */
const STATUS_DESCRIPTOR = 3;
const STATUS_BYTES = 4;
const TELL_MS = 500;
const LINE_CHARACTERS_MAX = 500;

export interface HelperProcessOptions {
  readonly processes: Processes;
  /** The executable, and what must come before the arguments. */
  readonly command: readonly [string, ...string[]];
  readonly socket: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What it is told on its standard input, at its start and each half second from then on. */
  readonly tells?: { readonly timers: Pick<Timers, "every">; line(): Uint8Array };
  /** What the helper writes, line by line. */
  onLine(line: string): void;
}

/** One run at a time: one that reported its end and stayed is ended when the next one starts. */
export class HelperProcess {
  readonly #name: string;
  #last: HelperRun | undefined;

  /** `name` stands in what is said of a failure: "recovery". */
  constructor(name: string) {
    this.#name = name;
  }

  /** `done` is not called after `cancel`, and never inside this call. */
  start(
    options: HelperProcessOptions,
    args: readonly string[],
    done: (outcome: Result<void>) => void,
  ): { cancel(): void } {
    this.#last?.cancel();
    this.#last = new HelperRun(this.#name, options, args, done);
    return this.#last;
  }
}

class HelperRun {
  readonly #name: string;
  #status = new Uint8Array(0);
  /** What it wrote last: mostly why it failed. */
  #lastLine = "";
  #kill: () => void = () => {};
  #done: ((outcome: Result<void>) => void) | undefined;
  #telling: Timer | undefined;

  constructor(
    name: string,
    options: HelperProcessOptions,
    args: readonly string[],
    done: (outcome: Result<void>) => void,
  ) {
    this.#name = name;
    this.#done = done;
    const { processes, command, socket, environment } = options;
    const spawned = processes.spawn({
      argv: [...command, String(STATUS_DESCRIPTOR), socket, ...args],
      env: environment,
      keepStdinOpen: true,
      reopensLog: true,
      onOutputLine: (line) => {
        if (line.trim() !== "") this.#lastLine = line.slice(0, LINE_CHARACTERS_MAX);
        options.onLine(line);
      },
      onStatusPipe: (chunk) => this.#statusArrived(chunk),
      onExit: ({ code, signal }) => {
        this.#kill = () => {};
        this.#telling?.cancel();
        this.#failed(`failed (${signal ?? `exit status ${code}`})`);
      },
    });
    if (spawned.ok) {
      const child = spawned.value;
      this.#kill = () => child.kill("SIGKILL");
      const { tells } = options;
      if (tells === undefined) return;
      child.tell(tells.line());
      this.#telling = tells.timers.every(TELL_MS, () => child.tell(tells.line()));
    } else {
      const reason = `Cannot start "${command[0]}": ${spawned.error.message}`;
      void Promise.resolve().then(() => this.#finish(err(reason)));
    }
  }

  cancel(): void {
    this.#done = undefined;
    this.#kill();
  }

  #statusArrived(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#status.length + chunk.length);
    bytes.set(this.#status);
    bytes.set(chunk, this.#status.length);
    this.#status = bytes;
    if (bytes.length < STATUS_BYTES) return;
    const status = new DataView(bytes.buffer).getInt32(0, true);
    // It ends by itself: what it logged last may not be written yet.
    if (status === 0) this.#finish(ok(undefined));
    else this.#failed(`reports error ${status}`);
  }

  #failed(how: string): void {
    const said = this.#lastLine === "" ? "" : `: ${this.#lastLine}`;
    this.#finish(err(`The ${this.#name} helper ${how}${said}`));
  }

  #finish(outcome: Result<void>): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(outcome);
  }
}
