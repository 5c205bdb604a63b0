/**
 * What the event loop and a waiting thread say to each other, and the word of shared memory by which
 * the loop calls a wait off while the thread is blocked.
 */
import type { TdbErrorCode } from "../../tdb/types.ts";

/** A wait for all records instead of one chain. */
export const ALL_RECORDS = -2;

export type ToLockThread =
  | { readonly kind: "begin"; readonly state: SharedArrayBuffer }
  | { readonly kind: "wait"; readonly path: string; readonly list: number }
  | { readonly kind: "release" }
  | { readonly kind: "exit" };

export type FromLockThread =
  /** The lock is held until "release". */
  | { readonly kind: "granted" }
  /** The lock was free, but a journal must be replayed first; nothing is held. */
  | { readonly kind: "journal" }
  | { readonly kind: "failed"; readonly code: TdbErrorCode; readonly reason: string }
  /** Nothing is held (any more), the next wait may come. Follows every other end of a wait too. */
  | { readonly kind: "idle" };

/** Values of the shared word. Only WAITING changes under both hands, by compare-and-exchange. */
export const THREAD_STATE = {
  IDLE: 0,
  WAITING: 1,
  CALLED_OFF: 2,
  HOLDING: 3,
} as const;
