/** Limits of one recovery; units are in the names. */

/** Databases that are recovered at the same time; each holds its records in memory. */
export const DATABASES_AT_ONCE_MAX = 16;
/** A piece of memory for records. */
export const SLAB_BYTES = 8 * 1024 * 1024;
/** Records of all databases together that lie in memory; what is more lies in scratch memory. */
export const HEAP_BYTES_MAX = 128 * 1024 * 1024;
/** Records that come or go before scratch memory is let go: about so much of it is resident. */
export const TOUCHED_BYTES_MAX = 64 * 1024 * 1024;
/** DB_PULL streams at the same time, over all databases: each may keep a node's whole output busy. */
export const PULLS_AT_ONCE_MAX = 8;
/** Attempts for each database before the recovery as a whole fails. */
export const ATTEMPTS_MAX = 3;
/** Push buffers that may be on their way to a node before it must have confirmed the first of them. */
export const PUSH_BUFFERS_UNCONFIRMED_MAX = 4;
/**
 * What a node may have of a push that it has not stored yet before it is waited for: two buffers of the usual size,
 * so that it always has something to do.
 */
export const PUSH_BEHIND_BYTES_MAX = 2 * 1024 * 1024;
/** How soon it is asked again. */
export const PUSH_BEHIND_PAUSE_MS = 5;
/** For all records of a node: a pull that makes progress may take long, and one that does not is ended before. */
export const PULL_MS_MAX = 60 * 60 * 1000;
/** Bounds for the tunable RecBufferSizeLimit, which comes from a peer. */
export const PUSH_BUFFER_BYTES_MIN = 4 * 1024;
export const PUSH_BUFFER_BYTES_MAX = 64 * 1024 * 1024;
/** Smallest deadline of a request, should RecoverTimeout be 0. */
export const REQUEST_TIMEOUT_MIN_MS = 1000;
