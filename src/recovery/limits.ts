/** Limits of one recovery; units are in the names. */

/** Databases that are recovered at the same time; each holds its records in memory. */
export const DATABASES_AT_ONCE_MAX = 16;
/** DB_PULL streams at the same time, over all databases: each may keep a node's whole output busy. */
export const PULLS_AT_ONCE_MAX = 8;
/** Attempts for each database before the recovery as a whole fails. */
export const ATTEMPTS_MAX = 3;
/** Push buffers that may be on their way to a node before it must have confirmed the first of them. */
export const PUSH_BUFFERS_UNCONFIRMED_MAX = 4;
/** Bounds for the tunable RecBufferSizeLimit, which comes from a peer. */
export const PUSH_BUFFER_BYTES_MIN = 4 * 1024;
export const PUSH_BUFFER_BYTES_MAX = 64 * 1024 * 1024;
/** Smallest deadline of a request, should RecoverTimeout be 0. */
export const REQUEST_TIMEOUT_MIN_MS = 1000;
