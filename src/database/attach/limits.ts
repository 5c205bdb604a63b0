/** Limits of attaching; units are in the names. */

/**
 * An attach that other processes have kept waiting for so long, to open its file and to lock it for the check, is
 * refused: sooner than the tool gives up, so that its user reads why. Those of the start wait as long as it takes:
 * without its persistent databases a node is none.
 */
export const ATTACH_TIMEOUT_MS = 8000;
export const ATTACH_RETRY_MS = 20;

/** Between tries to attach what other nodes have and we could not; and how many such databases are remembered. */
export const LATE_ATTACH_MS = 5000;
export const LATE_ATTACHES_MAX = 256;

/** Who waits for one attach to end: askers, and packets of nodes that have the database already. */
export const ATTACH_WAITERS_MAX = 10_000;

/** Bytes of all these packets. */
export const ATTACH_WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** Attaches of local clients that wait for the end of a recovery. */
export const DEFERRED_ATTACHES_MAX = 10_000;

/** Bytes of a database name; the file name adds the pnn and, at times, a suffix. */
export const DATABASE_NAME_BYTES_MAX = 200;
export const DATABASES_MAX = 4096;
