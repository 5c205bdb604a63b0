/** Limits that several rooms of the database part share; units are in the names. Each room has its own file. */

/**
 * Long work gives the loop back after this time. A collection of the runtime (some 5 ms) may fall into any slice, and
 * a turn shall not take more than 10 ms.
 */
export const SLICE_BUDGET_MS = 2.5;

/** In a turn that has lasted so long no further slice begins. */
export const TURN_BUDGET_MS = 3;

/** Delays of the tries before a waiting thread is asked for. */
export const LOCK_RETRY_DELAYS_MS: readonly number[] = [1, 2, 5];

/** Waits longer than this are logged, again after each further such time. */
export const LOCK_WAIT_LOG_MS = 10_000;

/** A wait for a file's locks by trying is logged after this time, then every LOCK_WAIT_LOG_MS. */
export const BUSY_LOG_FIRST_MS = 2000;
