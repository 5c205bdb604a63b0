/**
 * A thread that waits for one lock of a TDB at a time and holds it for the event loop (docs/tdb.md,
 * "Waiting for locks"). It runs the lock protocol of the loop with primitives that wait.
 *
 * Invariants:
 * 1. Each wait has an open file of its own, so that nothing which the loop does can take its byte
 *    ranges away; closing it drops them all.
 * 2. It blocks for at most WAIT_SLICE_MS, then looks whether the wait was called off. It is never
 *    terminated while it waits or holds: a mutex must be unlocked by the thread that locked it.
 * 3. A lock that is granted after the wait was called off is given back at once.
 *
 * Must not: read or write records. An entry point of the compiled executable (build/compile.ts).
 */

import { type LockPrimitives, LockProtocol } from "../../tdb/lock_protocol.ts";
import { lockTargetOf, targetHasJournal } from "../../tdb/lock_target.ts";
import type { SharedFile, TryLock } from "../types.ts";
import {
  ALL_RECORDS,
  type FromLockThread,
  THREAD_STATE,
  type ToLockThread,
} from "./lock_messages.ts";
import { BunSharedFiles } from "./shared_file.ts";

declare const self: {
  onmessage: ((event: { data: ToLockThread }) => void) | null;
  postMessage(message: FromLockThread): void;
};

const WAIT_SLICE_MS = 250;

const files = new BunSharedFiles();
let state = new Int32Array(new SharedArrayBuffer(4));
let held: { readonly file: SharedFile; unlock(): void } | undefined;

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
  const opened = files.open(path, { create: false, mode: 0 });
  if (!opened.ok) {
    return {
      kind: "failed",
      code: "io",
      reason: `Cannot wait for a lock: ${opened.error.message}`,
    };
  }
  const file = opened.value;
  const outcome = lock(file, list);
  if (outcome.kind !== "granted") file.close();
  return outcome;
}

function lock(file: SharedFile, list: number): FromLockThread {
  const target = lockTargetOf(file, files.pageSize);
  if (typeof target === "string") return { kind: "failed", code: "corrupt", reason: target };
  const locks = new LockProtocol(file, waitingPrimitives(file), target);
  const taken = list === ALL_RECORDS ? locks.lockAll("write") : locks.lockList(list, "write");
  if (taken === "busy") return { kind: "idle" };
  if (taken !== "granted") {
    return { kind: "failed", code: "io", reason: `Cannot wait for a lock: ${taken.message}` };
  }
  const unlock = (): void => (list === ALL_RECORDS ? locks.unlockAll() : locks.unlockList(list));
  if (targetHasJournal(file, target)) {
    unlock();
    return { kind: "journal" };
  }
  const before = Atomics.compareExchange(state, 0, THREAD_STATE.WAITING, THREAD_STATE.HOLDING);
  if (before !== THREAD_STATE.WAITING) {
    unlock();
    return { kind: "idle" };
  }
  held = { file, unlock };
  return { kind: "granted" };
}

function release(): void {
  held?.unlock();
  held?.file.close();
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
