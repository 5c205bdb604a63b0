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

import type { LockPrimitives } from "../../tdb/locks/lock_protocol.ts";
import type { SharedFile, TryLock } from "../types/shared_files.ts";
import { type TakenLock, takeLock } from "./lock_attempt.ts";
import { type FromLockThread, THREAD_STATE, type ToLockThread } from "./lock_messages.ts";

declare const self: {
  onmessage: ((event: { data: ToLockThread }) => void) | null;
  postMessage(message: FromLockThread): void;
};

const WAIT_SLICE_MS = 250;

let state = new Int32Array(new SharedArrayBuffer(4));
let held: TakenLock | undefined;

function isCalledOff(): boolean {
  return Atomics.load(state, 0) !== THREAD_STATE.WAITING;
}

/** Again and again, until it is granted, fails, or nobody wants it any more ("busy"). */
function waitFor<T extends string>(attempt: () => T | "busy" | TryLock): T | "busy" | TryLock {
  while (!isCalledOff()) {
    const taken = attempt();
    if (taken !== "busy") return taken;
  }
  return "busy";
}

function waitingPrimitives(file: SharedFile): LockPrimitives {
  return {
    range: (mode, start, length) =>
      waitFor<never>(() => file.waitLockRange(mode, start, length, WAIT_SLICE_MS)),
    tryRange: (mode, start, length) => file.tryLockRange(mode, start, length),
    mutex: (offset) => waitFor<"owner_died">(() => file.waitLockMutex(offset, WAIT_SLICE_MS)),
  };
}

function wait(path: string, list: number): FromLockThread {
  const attempt = takeLock(path, list, waitingPrimitives);
  if (attempt.kind === "busy") return { kind: "idle" };
  if (attempt.kind !== "granted") return attempt;
  const before = Atomics.compareExchange(state, 0, THREAD_STATE.WAITING, THREAD_STATE.HOLDING);
  if (before !== THREAD_STATE.WAITING) {
    attempt.lock.release();
    return { kind: "idle" };
  }
  held = attempt.lock;
  return { kind: "granted" };
}

function release(): void {
  held?.release();
  held = undefined;
}

function becomeIdle(): void {
  Atomics.store(state, 0, THREAD_STATE.IDLE);
  self.postMessage({ kind: "idle" });
}

self.onmessage = ({ data: message }) => {
  switch (message.kind) {
    case "begin":
      state = new Int32Array(message.state);
      return;
    case "wait": {
      const outcome = wait(message.path, message.list);
      if (outcome.kind !== "idle") self.postMessage(outcome);
      if (outcome.kind !== "granted") becomeIdle();
      return;
    }
    case "release":
      release();
      becomeIdle();
      return;
    case "exit":
      release();
      process.exit(0);
  }
};
