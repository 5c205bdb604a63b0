/**
 * The protocol of a cluster mutex helper, one child process for each attempt: one character on
 * standard output ('0' held, '1' contended, '2' timeout, '3' error), then it lives as long as it
 * holds the lock. End of output without a release: the lock is lost. SIGTERM releases.
 *
 * Invariants:
 * 1. The states go attempting → held → ended, or attempting → ended; each handler runs at most
 *    once.
 * 2. After `stop()` no handler but `ended` runs.
 * 3. A lock that shall be proven (lock_proof.ts) is held from its first proof on.
 */
import type { ChildProcess, Processes } from "../platform/types/processes.ts";
import type { Clock, Timer, Timers } from "../platform/types/time.ts";
import type { LockAttempt } from "./cluster_lock.ts";
import { HELPER_PROVES, LockProof, PROOF_QUESTION, PROOF_VARIABLE } from "./lock_proof.ts";

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
  /** The helper of a held lock ended by itself, or does not prove that it has it. */
  lost(reason: string): void;
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
  /** When a lock is to be proven, for how long an answer counts. */
  readonly #proofMs: number | undefined;
  #proof: LockProof | undefined;

  /** `proofMs`: the lock is to be proven, and without a lease an answer counts for so long. */
  constructor(
    host: MutexHelperHost,
    argv: readonly [string, ...string[]],
    timeoutMs: number,
    handlers: MutexHelperHandlers,
    proofMs?: number,
  ) {
    this.#host = host;
    this.#proofMs = proofMs;
    this.#handlers = handlers;
    this.#startMs = host.clock.monotonicMs();
    const spawned = host.processes.spawn({
      argv,
      env:
        proofMs === undefined ? host.environment : { ...host.environment, [PROOF_VARIABLE]: "1" },
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

  /** 0 or less: not even now. */
  get provenForMs(): number {
    if (this.#state !== "held" || this.#proof === undefined) return 0;
    return this.#proof.untilMs - this.#host.clock.monotonicMs();
  }

  /** Ends the helper, whatever its state. */
  stop(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#proof?.end();
    this.#terminate();
  }

  #output(chunk: Uint8Array): void {
    if (this.#proof !== undefined) {
      this.#proof.heard(chunk);
      return;
    }
    // Anything more has no meaning.
    if (this.#state !== "attempting" || chunk.length === 0) return;
    const latencyMs = this.#host.clock.monotonicMs() - this.#startMs;
    const outcome = outcomeOf(chunk[0] as number, latencyMs);
    if (outcome.kind !== "held" || this.#proofMs === undefined) this.#answer(outcome);
    else this.#prove(outcome, this.#proofMs, chunk[1] === HELPER_PROVES.charCodeAt(0));
  }

  #prove(outcome: LockAttempt, proofMs: number, answers: boolean): void {
    const { clock, timers } = this.#host;
    this.#proof = new LockProof({
      clock,
      timers,
      proofMs,
      ask: answers ? () => this.#child?.tell(PROOF_QUESTION) : undefined,
      proven: () => this.#answer(outcome),
      over: (reason) => {
        if (this.#state === "attempting") this.#answer({ kind: "failed", reason });
        else this.#lost(reason);
      },
    });
    if (!answers) this.#answer(outcome);
  }

  #outputEnded(): void {
    if (this.#state === "attempting") {
      this.#answer({ kind: "failed", reason: "the mutex helper ended without an answer" });
    } else {
      this.#lost("its helper terminated");
    }
  }

  #lost(reason: string): void {
    if (this.#state !== "held") return;
    this.#state = "refused";
    this.#terminate();
    this.#handlers.lost(reason);
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
    this.#proof?.end();
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
