/**
 * The recovery helper as a child process: `ctdb_recovery_helper FD SOCKET GENERATION`, ours or any
 * other that keeps the contract. It writes a 32-bit 0 to FD when the recovery succeeded, and ends
 * with a status other than 0, and nothing written, when it failed.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { Processes } from "../platform/types/processes.ts";
import type { RecoveryHelper } from "./recovery_run.ts";

export const RECOVERY_HELPER = "ctdb_recovery_helper";
/** The status pipe's number in the child (platform/types/processes.ts, SpawnOptions). */
const STATUS_DESCRIPTOR = 3;
const STATUS_BYTES = 4;

export interface RecoveryProcessOptions {
  readonly processes: Processes;
  /** The executable, and what must come before the arguments. */
  readonly command: readonly [string, ...string[]];
  readonly socket: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What the helper writes, line by line. */
  onLine(line: string): void;
}

export function recoveryProcess(options: RecoveryProcessOptions): RecoveryHelper {
  let last: HelperRun | undefined;
  return {
    start(generation, done) {
      // One that reported its end and stayed.
      last?.cancel();
      last = new HelperRun(options, generation, done);
      return last;
    },
  };
}

class HelperRun {
  #status = new Uint8Array(0);
  #kill: () => void = () => {};
  #done: ((outcome: Result<void>) => void) | undefined;

  constructor(
    options: RecoveryProcessOptions,
    generation: number,
    done: (outcome: Result<void>) => void,
  ) {
    this.#done = done;
    const { processes, command, socket, environment } = options;
    const spawned = processes.spawn({
      argv: [...command, String(STATUS_DESCRIPTOR), socket, String(generation)],
      env: environment,
      keepStdinOpen: true,
      reopensLog: true,
      onOutputLine: (line) => options.onLine(line),
      onStatusPipe: (chunk) => this.#statusArrived(chunk),
      onExit: ({ code, signal }) => {
        this.#kill = () => {};
        this.#finish(err(`The recovery helper failed (${signal ?? `exit status ${code}`})`));
      },
    });
    if (spawned.ok) {
      const child = spawned.value;
      this.#kill = () => child.kill("SIGKILL");
    } else {
      const reason = `Cannot start "${command[0]}": ${spawned.error.message}`;
      // Never inside the call that asked.
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
    this.#finish(status === 0 ? ok(undefined) : err(`The recovery helper reports error ${status}`));
  }

  #finish(outcome: Result<void>): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(outcome);
  }
}
