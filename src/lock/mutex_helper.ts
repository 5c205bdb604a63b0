/**
 * The protocol of a cluster mutex helper, one child process for each attempt: one character on
 * standard output ('0' held, '1' contended, '2' timeout, '3' error), then it lives as long as it
 * holds the lock. End of output without a release: the lock is lost. SIGTERM releases.
 *
 * Invariants:
 * 1. The states go attempting → held → ended, or attempting → ended; each handler runs at most
 *    once.
 * 2. After `stop()` no handler but `ended` runs.
 */
import type { ChildProcess, Processes } from "../platform/types/processes.ts";
import type { Clock, Timer, Timers } from "../platform/types/time.ts";
import type { LockAttempt } from "./cluster_lock.ts";

/** A helper that does not end on SIGTERM is killed after this time. */
const TERMINATE_GRACE_MS = 5000;

export interface MutexHelperHost {
  readonly processes: Processes;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly environment: Readonly<Record<string, string>>;
  /** What the helper writes to standard error. */
  onErrorLine(line: string): void;
}

export interface MutexHelperHandlers {
  answered(outcome: LockAttempt): void;
  /** The helper of a held lock ended by itself. */
  lost(): void;
  /** The process is gone; the lock is free as far as it was ours. */
  ended(): void;
}

export class MutexHelper {
  readonly #host: MutexHelperHost;
  readonly #handlers: MutexHelperHandlers;
  readonly #startMs: number;
  #state: "attempting" | "held" | "refused" | "stopped" = "attempting";
  #child: ChildProcess | undefined;
  #deadline: Timer | undefined;
  #killer: Timer | undefined;
  #exited = false;

  constructor(
    host: MutexHelperHost,
    argv: readonly [string, ...string[]],
    timeoutMs: number,
    handlers: MutexHelperHandlers,
  ) {
    this.#host = host;
    this.#handlers = handlers;
    this.#startMs = host.clock.monotonicMs();
    const spawned = host.processes.spawn({
      argv,
      env: host.environment,
      keepStdinOpen: true,
      onStdout: (chunk) => this.#output(chunk),
      onStdoutEnd: () => this.#outputEnded(),
      onOutputLine: (line) => host.onErrorLine(line),
      onExit: () => this.#processEnded(),
    });
    if (!spawned.ok) {
      const reason = `Cannot start the mutex helper: ${spawned.error.message}`;
      host.timers.soon(() => {
        this.#answer({ kind: "failed", reason });
        this.#processEnded();
      });
      return;
    }
    this.#child = spawned.value;
    this.#deadline = host.timers.after(timeoutMs, () => this.#answer({ kind: "timeout" }));
  }

  /** Ends the helper, whatever its state. */
  stop(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#terminate();
  }

  #output(chunk: Uint8Array): void {
    // Anything after the first character has no meaning.
    if (this.#state !== "attempting" || chunk.length === 0) return;
    const latencyMs = this.#host.clock.monotonicMs() - this.#startMs;
    this.#answer(outcomeOf(chunk[0] as number, latencyMs));
  }

  #outputEnded(): void {
    if (this.#state === "attempting") {
      this.#answer({ kind: "failed", reason: "the mutex helper ended without an answer" });
    } else if (this.#state === "held") {
      this.#state = "refused";
      this.#terminate();
      this.#handlers.lost();
    }
  }

  #answer(outcome: LockAttempt): void {
    if (this.#state !== "attempting") return;
    this.#deadline?.cancel();
    this.#state = outcome.kind === "held" ? "held" : "refused";
    // One that failed has nothing more to do, and must not get the lock late.
    if (this.#state === "refused") this.#terminate();
    this.#handlers.answered(outcome);
  }

  #terminate(): void {
    this.#deadline?.cancel();
    const child = this.#child;
    if (this.#exited || child === undefined || this.#killer !== undefined) return;
    child.kill("SIGTERM");
    this.#killer = this.#host.timers.after(TERMINATE_GRACE_MS, () => child.kill("SIGKILL"));
  }

  #processEnded(): void {
    if (this.#exited) return;
    this.#exited = true;
    this.#killer?.cancel();
    // Its output may have ended without the platform saying so first.
    this.#outputEnded();
    this.#handlers.ended();
  }
}

function outcomeOf(byte: number, latencyMs: number): LockAttempt {
  switch (String.fromCharCode(byte)) {
    case "0":
      return { kind: "held", latencyMs };
    case "1":
      return { kind: "contended" };
    case "2":
      return { kind: "timeout" };
    case "3":
      return { kind: "failed", reason: "the mutex helper reports an error" };
    default: {
      const reason = `expected 0, 1, 2 or 3 from the mutex helper, got byte ${byte}`;
      return { kind: "failed", reason };
    }
  }
}
