/**
 * One waiting thread as the event loop sees it: idle, waiting, or holding a lock.
 *
 * Invariants:
 * 1. After `callOff` or `release` the thread reports `idle` exactly once; only then it may be used again.
 * 2. `granted`, `failed` and `journal` of a wait that was called off are not reported.
 */
import { Worker } from "node:worker_threads";
import type { TdbErrorCode } from "../../tdb/types.ts";
import { type FromLockThread, THREAD_STATE, type ToLockThread } from "./lock_messages.ts";

export interface LockThreadEvents {
  granted(): void;
  journal(): void;
  failed(code: TdbErrorCode, reason: string): void;
  /** Nothing is held. */
  idle(): void;
  /** The thread is gone; it cannot be used again. */
  lost(reason: string): void;
}

/**
 * In the compiled executable the worker is an entry point of its own, named by its path below src/
 * with the extension .js, and this module lies at the root.
 */
function workerUrl(): URL {
  const compiled = import.meta.url.includes("/$bunfs/") || import.meta.url.includes("/~BUN/");
  return new URL(compiled ? "./platform/node/lock_worker.js" : "./lock_worker.ts", import.meta.url);
}

export class LockThread {
  readonly #worker: Worker;
  readonly #state = new Int32Array(new SharedArrayBuffer(4));
  #events: LockThreadEvents | undefined;
  #calledOff = false;

  constructor() {
    this.#worker = new Worker(workerUrl());
    // A thread that waits does not keep the process alive.
    this.#worker.unref();
    this.#worker.on("message", (message: FromLockThread) => this.#receive(message));
    this.#worker.on("error", (error: Error) => this.#events?.lost(error.message));
    this.#send({ kind: "begin", state: this.#state.buffer });
  }

  #send(message: ToLockThread): void {
    this.#worker.postMessage(message);
  }

  wait(path: string, list: number, events: LockThreadEvents): void {
    this.#events = events;
    this.#calledOff = false;
    Atomics.store(this.#state, 0, THREAD_STATE.WAITING);
    this.#send({ kind: "wait", path, list });
  }

  /** Ends the wait, or gives the lock back; `idle` follows, at once only if the lock was held. */
  release(): "called_off" | "releasing" {
    this.#calledOff = true;
    const { WAITING, CALLED_OFF, HOLDING } = THREAD_STATE;
    const before = Atomics.compareExchange(this.#state, 0, WAITING, CALLED_OFF);
    if (before === WAITING) return "called_off";
    if (before === HOLDING) this.#send({ kind: "release" });
    return "releasing";
  }

  /** Only while idle. */
  end(): void {
    this.#events = undefined;
    this.#send({ kind: "exit" });
  }

  #receive(message: FromLockThread): void {
    const events = this.#events;
    if (events === undefined) return;
    if (message.kind === "idle") {
      events.idle();
      return;
    }
    if (this.#calledOff) return;
    switch (message.kind) {
      case "granted":
        events.granted();
        return;
      case "journal":
        events.journal();
        return;
      case "failed":
        events.failed(message.code, message.reason);
        return;
    }
  }
}
