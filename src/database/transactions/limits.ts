/** Limits of updates of persistent and replicated databases; units are in the names. */

/** Updates of one persistent or replicated database that wait for their transaction. */
export const UPDATES_WAITING_MAX = 1000;
export const UPDATES_WAITING_BYTES_MAX = 256 * 1024 * 1024;
