/** Limits of the gate in front of the records, and of what is counted of them; units are in the names. */

/** Work that waits for locks or for a thaw, of one database; beyond it, requests are refused. */
export const PARKED_WORKS_MAX = 100_000;
export const PARKED_BYTES_MAX = 256 * 1024 * 1024;

/**
 * For records on their way to a new data master there is so much more room: a recovery must find each
 * that is refused.
 */
export const PARKED_RECORDS_FACTOR = 2;

/** Keys whose migrations are counted at once, per database. */
export const COUNTED_KEYS_MAX = 8192;

/** Works of one chain that run under one lock, so that other processes get their turn. */
export const WORKS_PER_LOCK_MAX = 64;

/** Longest pause between tries when there is nothing to wait on (freelist, open). */
export const LOCK_RETRY_MAX_MS = 50;
