/** Limits of calls, of revokes and of hot records; units are in the names. */

/**
 * A call that went from node to node so often does not follow a record that moves on, since it catches
 * up with one on the way: the nodes contradict each other about who is data master.
 */
export const HOPS_MAX = 1000;

/** Calls that may wait behind one fetch of the same record (FetchCollapse). */
export const COLLAPSED_CALLS_MAX = 100_000;

/** A fetch that has not come back by then lets the calls behind it try for themselves. */
export const COLLAPSE_TIMEOUT_MS = 30_000;

/** Calls of one database that wait for the end of a revoke or a pindown; beyond, they are refused. */
export const DEFERRED_CALLS_MAX = 100_000;
export const DEFERRED_BYTES_MAX = 64 * 1024 * 1024;

/** A revoke that failed is tried again after this time. */
export const REVOKE_RETRY_MS = 1000;

/** Failures in a row after which a recovery is asked for, which takes all copies back. */
export const REVOKE_FAILURES_MAX = 3;

/** After a revoke, read-only requests that waited for its end give those who write this time. */
export const READERS_AFTER_REVOKE_MS = 1000;

/** And this time passes before a new one gets a copy: clients of this node look at the record now. */
export const NO_COPIES_AFTER_REVOKE_MS = 20;

/** Hot records that are remembered, per database. */
export const STICKY_RECORDS_MAX = 10_000;

/** Calls that are sent again to this node are handled in the same turn, which takes several times as long. */
export const RESEND_SLICE_MS = 1;
