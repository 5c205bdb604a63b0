/** Limits of the vacuum; units are in the names. */

/** Records that wait for the vacuum, per database. Those beyond are found by its full walk. */
export const DELETE_QUEUE_MAX = 262_144;

/** Bytes of their keys. */
export const DELETE_QUEUE_BYTES_MAX = 64 * 1024 * 1024;

/** Records that other nodes have offered, per database. */
export const FETCH_QUEUE_MAX = 262_144;
export const FETCH_QUEUE_BYTES_MAX = 64 * 1024 * 1024;

/** The vacuum gives the loop back sooner than other long work: nobody waits for it. */
export const VACUUM_SLICE_MS = 3;

/** Records of one VACUUM_FETCH or TRY_DELETE_RECORDS: what the receiver does in a slice or two. */
export const VACUUM_RECORDS_MAX = 1000;

/** Records that the vacuum fetches at the same time. */
export const VACUUM_FETCHES_MAX = 64;

/** A run that nobody asked for goes on without fetches that take longer. */
export const VACUUM_FETCH_PATIENCE_MS = 5000;

/** Between the runs of two databases. */
export const VACUUM_STAGGER_MS = 500;

/** Changed tunables are noticed by then. */
export const VACUUM_LOOK_MS = 10_000;

/** Tries to lock a whole database for a repack, and the pause between them. */
export const REPACK_TRIES_MAX = 10;
export const REPACK_RETRY_MS = 10;
