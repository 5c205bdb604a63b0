/**
 * A thread that waits for one lock of a TDB at a time and holds it for the event loop (docs/tdb.md,
 * "Waiting for locks"). It runs the lock protocol of the loop with primitives that wait.
 *
 * Invariants:
 * 1. It blocks for at most WAIT_SLICE_MS, then looks whether the wait was called off. It is never
 *    terminated while it waits or holds: a mutex must be unlocked by the thread that locked it.
 * 2. A lock that is granted after the wait was called off is given back at once.
 *
 * Must not: read or write records. An entry point of the compiled executable (build/compile.ts).
 */
import { parentPort } from "node:worker_threads";
import type { LockPrimitives } from "../../tdb/locks/lock_protocol.ts";
import { SystemSharedFiles } from "../libc/shared_file.ts";
import type { SharedFile, TryLock } from "../types/shared_files.ts";
import { type TakenLock, takeLock } from "./lock_attempt.ts";
import { type FromLockThread, THREAD_STATE, type ToLockThread } from "./lock_messages.ts";

const WAIT_SLICE_MS = 250;

class WaitingThread {
  readonly #files = new SystemSharedFiles();
  readonly #post: (message: FromLockThread) => void;
  #state = new Int32Array(new SharedArrayBuffer(4));
  #held: TakenLock | undefined;

  constructor(post: (message: FromLockThread) => void) {
    this.#post = post;
  }

  receive(message: ToLockThread): void {
    switch (message.kind) {
      case "begin":
        this.#state = new Int32Array(message.state);
        return;
      case "wait": {
        const outcome = this.#wait(message.path, message.list);
        if (outcome.kind !== "idle") this.#post(outcome);
        if (outcome.kind !== "granted") this.#becomeIdle();
        return;
      }
      case "release":
        this.#release();
        this.#becomeIdle();
        return;
      case "exit":
        this.#release();
        process.exit(0);
    }
  }

  #wait(path: string, list: number): FromLockThread {
    const attempt = takeLock(this.#files, path, list, (file) => this.#waitingPrimitives(file));
    if (attempt.kind === "busy") return { kind: "idle" };
    if (attempt.kind !== "granted") return attempt;
    const { WAITING, HOLDING } = THREAD_STATE;
    const before = Atomics.compareExchange(this.#state, 0, WAITING, HOLDING);
    if (before !== WAITING) {
      attempt.lock.release();
      return { kind: "idle" };
    }
    this.#held = attempt.lock;
    return { kind: "granted" };
  }

  #waitingPrimitives(file: SharedFile): LockPrimitives {
    return {
      range: (mode, start, length) =>
        this.#waitFor<never>(() => file.waitLockRange(mode, start, length, WAIT_SLICE_MS)),
      tryRange: (mode, start, length) => file.tryLockRange(mode, start, length),
      mutex: (offset) =>
        this.#waitFor<"owner_died">(() => file.waitLockMutex(offset, WAIT_SLICE_MS)),
    };
  }

  /** Again and again, until it is granted, fails, or nobody wants it any more ("busy"). */
  #waitFor<T extends string>(attempt: () => T | "busy" | TryLock): T | "busy" | TryLock {
    while (Atomics.load(this.#state, 0) === THREAD_STATE.WAITING) {
      const taken = attempt();
      if (taken !== "busy") return taken;
    }
    return "busy";
  }

  #release(): void {
    this.#held?.release();
    this.#held = undefined;
  }

  #becomeIdle(): void {
    Atomics.store(this.#state, 0, THREAD_STATE.IDLE);
    this.#post({ kind: "idle" });
  }
}

const thread = new WaitingThread((message) => parentPort?.postMessage(message));
parentPort?.on("message", (message: ToLockThread) => thread.receive(message));
