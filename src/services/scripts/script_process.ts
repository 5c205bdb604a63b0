/**
 * One script that runs, in a process group of its own.
 *
 * Invariants:
 * 1. `ended` comes once, when the script itself has ended, and not after `kill()` or `abandon()`. Daemons that it
 *    leaves behind are not waited for, whatever they do with its output.
 * 2. After `kill()` and `terminate()` nothing of its process group stays, but for what the system cannot kill.
 * 3. Output is always read, and kept within limits.
 */
import { EACCES, EINTR, ENOENT, ENOEXEC, errnoOf } from "../../base/errno.ts";
import type { ChildProcess, Processes } from "../../platform/types/processes.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { TERMINATE_GRACE_MS } from "../limits.ts";
import { BoundedOutput } from "./bounded_output.ts";

export interface ScriptHost {
  readonly processes: Processes;
  readonly timers: Timers;
  readonly environment: Readonly<Record<string, string>>;
}

/** Exit status, or a negative errno: −EINTR killed by a signal, −ENOEXEC not executable. */
export type ScriptStatus = number;

export class ScriptProcess {
  readonly #host: ScriptHost;
  readonly #output = new BoundedOutput();
  readonly #child: ChildProcess | undefined;
  #ended: ((status: ScriptStatus) => void) | undefined;
  #gone: (() => void) | undefined;
  #isGone = false;
  #killer: Timer | undefined;

  /** `gone`: there is no such process any more, whoever wanted to hear of its end. */
  constructor(
    host: ScriptHost,
    argv: readonly [string, ...string[]],
    handlers: { readonly ended: (status: ScriptStatus) => void; readonly gone?: () => void },
  ) {
    this.#host = host;
    this.#ended = handlers.ended;
    this.#gone = handlers.gone;
    const child = host.processes.spawn({
      argv,
      env: host.environment,
      endsGroup: true,
      onOutput: (chunk) => this.#output.take(chunk),
      onExit: ({ code, signal }) => this.#end(signal === undefined ? (code ?? 0) : -EINTR),
    });
    if (child.ok) {
      this.#child = child.value;
      return;
    }
    const number = errnoOf(child.error);
    // A script that was disabled or removed since the directory was read.
    const status = number === EACCES || number === ENOENT ? -ENOEXEC : -number;
    host.timers.soon(() => this.#end(status));
  }

  /** undefined when it has ended, or was never started. */
  get pid(): number | undefined {
    return this.#isGone ? undefined : this.#child?.pid;
  }

  /** So far. */
  get output(): string | undefined {
    return this.#output.kept();
  }

  /** Each line so far, behind `name`. */
  logOutput(say: (line: string) => void, name: string): void {
    for (const line of this.output?.split("\n") ?? []) if (line !== "") say(`${name}: ${line}`);
  }

  /** It runs on, and its end is of no interest. */
  abandon(): void {
    this.#ended = undefined;
  }

  /** At once. */
  kill(): void {
    this.#ended = undefined;
    this.#killer?.cancel();
    this.#child?.kill("SIGKILL");
  }

  /** Asks it to end; who does not is killed. */
  terminate(): void {
    if (this.#isGone || this.#killer !== undefined) return;
    this.#child?.kill("SIGTERM");
    this.#killer = this.#host.timers.after(TERMINATE_GRACE_MS, () => this.#child?.kill("SIGKILL"));
  }

  #end(status: ScriptStatus): void {
    this.#isGone = true;
    this.#killer?.cancel();
    const ended = this.#ended;
    this.#ended = undefined;
    this.#gone?.();
    ended?.(status);
  }
}
