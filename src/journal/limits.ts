/** Limits of the journal; units are in the names. */

/** Events that one query answers with. */
export const QUERY_EVENTS_MAX = 1000;
/** Queries' worth of events that are read of a node for the state at a time. */
export const STATE_PAGES_MAX = 10;

/** How often a summary of events is kept (store/journal_tables.ts). A power of two. */
export const CHUNK_EVENTS = 2048;
/** Whatever the clock says, these stay: a clock that jumps must not empty the journal. */
export const RETAIN_EVENTS_MIN = 5 * CHUNK_EVENTS;
/** Space is given back to the disk from this share of free pages on, so many pages at a time. */
export const FREE_PAGES_SHARE = 0.25;
export const GIVEN_BACK_PAGES = 256;

/** Corrupt files that are kept beside; the oldest goes when there is one more. */
export const SET_ASIDE_FILES_MAX = 3;
/** Up to this size the whole file is looked through at the start, which takes well under a second. */
export const WHOLE_CHECK_BYTES_MAX = 64 * 1024 * 1024;
/** Another process may have the file for so long: one that ends, or a tool that looks into it. */
export const BUSY_WAIT_MS = 1000;
/** What the pages in memory and the log beside the file take. */
export const CACHE_KILOBYTES = 4096;
export const LOG_BYTES_MAX = 16 * 1024 * 1024;

/** A reader that hears nothing asks again: the request or the batch may be lost with a ctdbd. */
export const ASK_AGAIN_MS = 3000;
export const RECONNECT_MS = 1000;
/** After events that could not be kept: a full disk has room again some time. */
export const KEEP_AGAIN_MS = 5000;
/** What is too old or too much is looked for so often, and so long is between two pieces of that work. */
export const RETAIN_INTERVAL_MS = 60_000;
export const RETAIN_PAUSE_MS = 50;
