/** How long `ctdb doctor` waits, and from where on a number is a finding. */

/** For each question to a node, each connection that is tried. */
export const QUESTION_MS_MAX = 3000;
/** For programs whose output is needed. */
export const COMMAND_MS_MAX = 5000;
export const LOG_BYTES = 64 * 1024;
export const LOG_RECENT_SEC = 600;
export const DATABASE_FILES_MAX = 1000;

export const CLOCK_OFFSET_MS_MAX = 1000;
/** A disk with less, and less than the share, is nearly full. */
export const SPACE_BYTES_MIN = 1024 * 1024 * 1024;
export const SPACE_SHARE_MIN = 0.05;
/** A disk with less cannot take what a commit or a recovery writes. */
export const SPACE_BYTES_FULL = 16 * 1024 * 1024;
export const INODES_SHARE_MIN = 0.01;
export const OPEN_FILES_MIN = 4096;
export const RECENT_PROBLEM_LINES = 20;
/** In a node's statistics, and that often an hour. */
export const RECOVERIES_MAX = 10;
export const LOCK_WAIT_SEC_MAX = 10;
export const HOPS_MAX = 100;
/** A certificate of the node links that ends sooner should be renewed. */
export const CERTIFICATE_DAYS_MIN = 30;
