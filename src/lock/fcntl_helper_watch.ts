/**
 * The liveness check of the fcntl mutex helper: a child process does the blocking work on the lock
 * file, reports by single bytes on a pipe, and its silence or end means that the lock is not to be
 * trusted any more. So a hung file system never hangs the process that holds the lock.
 */
import type { ChildProcess, Processes } from "../platform/types/processes.ts";
import type { Timer, Timers } from "../platform/types/time.ts";

export interface LockFileWatchOptions {
  readonly processes: Processes;
  readonly timers: Timers;
  readonly environment: Readonly<Record<string, string>>;
  /** The command of the checking child. */
  readonly argv: readonly [string, ...string[]];
  /** Longest silence; 0: no limit. */
  readonly pingTimeoutMs: number;
  onErrorLine(line: string): void;
  /** Once, with the reason. */
  onTrouble(reason: string): void;
}

export class LockFileWatch {
  readonly #options: LockFileWatchOptions;
  #child: ChildProcess | undefined;
  #silence: Timer | undefined;
  #ended = false;

  constructor(options: LockFileWatchOptions) {
    this.#options = options;
    const spawned = options.processes.spawn({
      argv: options.argv,
      env: options.environment,
      keepStdinOpen: true,
      onStdout: () => this.#heard(),
      onStdoutEnd: () => this.#trouble("the lock test child ended"),
      onOutputLine: (line) => options.onErrorLine(line),
      onExit: () => this.#trouble("the lock test child ended"),
    });
    if (spawned.ok) {
      this.#child = spawned.value;
      this.#heard();
    } else {
      const reason = `cannot start the lock test child: ${spawned.error.message}`;
      options.timers.soon(() => this.#trouble(reason));
    }
  }

  stop(): void {
    this.#ended = true;
    this.#silence?.cancel();
    this.#child?.kill("SIGKILL");
  }

  #heard(): void {
    const { pingTimeoutMs, timers } = this.#options;
    if (this.#ended || pingTimeoutMs === 0) return;
    this.#silence?.cancel();
    this.#silence = timers.after(pingTimeoutMs, () =>
      this.#trouble("ping timeout from lock test child"),
    );
  }

  #trouble(reason: string): void {
    if (this.#ended) return;
    this.stop();
    this.#options.onTrouble(reason);
  }
}
