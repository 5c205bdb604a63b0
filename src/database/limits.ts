/** Limits of the database part; units are in the names. */

/** Work that waits for locks or for a thaw, of one database; beyond it, requests are refused. */
export const PARKED_WORKS_MAX = 100_000;
export const PARKED_BYTES_MAX = 256 * 1024 * 1024;
/**
 * For records on their way to a new data master there is so much more room: a recovery must find each
 * that is refused.
 */
export const PARKED_RECORDS_FACTOR = 2;

/**
 * A call that went from node to node so often does not follow a record that moves on, since it catches
 * up with one on the way: the nodes contradict each other about who is data master.
 */
export const HOPS_MAX = 1000;

/** Calls that may wait behind one fetch of the same record (FetchCollapse). */
export const COLLAPSED_CALLS_MAX = 100_000;
/** A fetch that has not come back by then lets the calls behind it try for themselves. */
export const COLLAPSE_TIMEOUT_MS = 30_000;

/** Updates of one persistent or replicated database that wait for their transaction. */
export const UPDATES_WAITING_MAX = 1000;
export const UPDATES_WAITING_BYTES_MAX = 256 * 1024 * 1024;
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

/** Keys whose migrations are counted at once, per database. */
export const COUNTED_KEYS_MAX = 8192;

/** Pushed records of one database that have arrived and are not stored yet. */
export const PUSH_WAITING_BYTES_MAX = 1024 * 1024 * 1024;

/** Long work gives the loop back after this time. */
export const SLICE_BUDGET_MS = 5;
/** Calls that are sent again to this node are handled in the same turn, which takes several times as long. */
export const RESEND_SLICE_MS = 1;
/** Bytes that a traverse puts into output queues in one slice. */
export const TRAVERSE_SLICE_BYTES = 1024 * 1024;
/**
 * A walk sends this much, then waits until the node that collects says that it may go on: so much waits
 * on the link to it, and so much of each node for a client that is slow.
 */
export const TRAVERSE_WINDOW_BYTES = 1024 * 1024;
/** The nodes of a traverse are not told to go on while more than this waits for the client. */
export const TRAVERSE_BACKLOG_BYTES_MAX = 4 * 1024 * 1024;
export const TRAVERSE_BACKLOG_LOOK_MS = 10;
/** But they are after this time: it is less than the time that they wait, TraverseTimeout. */
export const TRAVERSE_HOLD_MS_MAX = 5000;
/** A pull pauses while more than this waits on the way to the node that pulls. */
export const PULL_QUEUED_BYTES_MAX = 8 * 1024 * 1024;
export const PULL_PAUSE_MS = 2;
/** A stream to a client of another node asks how far that one is behind, once for so many bytes. */
export const BACKLOG_ASK_BYTES = 2 * 1024 * 1024;
/** Without an answer in this time it goes on, and asks no more. */
export const BACKLOG_ANSWER_MS = 10_000;
/** Traverses that this node serves or has started at the same time. */
export const TRAVERSES_MAX = 1000;

/** Works of one chain that run under one lock, so that other processes get their turn. */
export const WORKS_PER_LOCK_MAX = 64;
/** Delays of the tries before a waiting thread is asked for. */
export const LOCK_RETRY_DELAYS_MS: readonly number[] = [1, 2, 5];
/** Longest pause between tries when there is nothing to wait on (freelist, open). */
export const LOCK_RETRY_MAX_MS = 50;
/** Waits longer than this are logged, again after each further such time. */
export const LOCK_WAIT_LOG_MS = 10_000;

/** A wait for a file's locks by trying is logged after this time, then every LOCK_WAIT_LOG_MS. */
export const BUSY_LOG_FIRST_MS = 2000;

/**
 * An attach that other processes have kept waiting for so long, to open its file and to lock it for the check, is
 * refused: sooner than the tool gives up, so that its user reads why. Those of the start wait as long as it takes:
 * without its persistent databases a node is none.
 */
export const ATTACH_TIMEOUT_MS = 8000;
export const ATTACH_RETRY_MS = 20;
/** Who waits for one attach to end: askers, and packets of nodes that have the database already. */
export const ATTACH_WAITERS_MAX = 10_000;
/** Bytes of all these packets. */
export const ATTACH_WAITING_BYTES_MAX = 64 * 1024 * 1024;
/** Attaches of local clients that wait for the end of a recovery. */
export const DEFERRED_ATTACHES_MAX = 10_000;
/** Bytes of a database name; the file name adds the pnn and, at times, a suffix. */
export const DATABASE_NAME_BYTES_MAX = 200;
export const DATABASES_MAX = 4096;
