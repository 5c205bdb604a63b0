/** Limits of pull and push; units are in the names. */

/** Pushed records of one database that have arrived and are not stored yet. */
export const PUSH_WAITING_BYTES_MAX = 1024 * 1024 * 1024;

/** A pull pauses while more than this waits on the way to the node that pulls. */
export const PULL_QUEUED_BYTES_MAX = 8 * 1024 * 1024;
export const PULL_PAUSE_MS = 2;
