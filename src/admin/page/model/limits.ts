/** Limits of the page, units in the names: a browser that is left open for weeks must not grow. */

/** Events that are kept in the page, of the whole journal; older ones are asked for again. */
export const ENTRIES_MAX = 5000;
/** Events of one question to the journal. */
export const ENTRIES_PER_QUESTION = 500;
/** Questions for one window of the timeline; beyond that its left part is marked as not loaded. */
export const QUESTIONS_PER_WINDOW = 4;
/** Events in the list at a time. */
export const LIST_ROWS = 100;

/** Rates that are remembered of each database, for the small curves. */
export const RATE_SAMPLES_MAX = 60;
export const RATE_DATABASES_MAX = 256;

/** Causes below causes that are shown. */
export const CAUSES_DEPTH_MAX = 16;

/** Clocks of nodes that differ by less are taken for equal. */
export const CLOCK_MS_MAX = 500;

/** Without a word from the server for so long, the page asks whether it is there. */
export const SILENCE_MS = 12_000;
export const ANSWER_TIMEOUT_MS = 10_000;
export const RECONNECT_MS_MIN = 500;
export const RECONNECT_MS_MAX = 10_000;
/** The journals of other nodes are asked that often for what is new. */
export const OTHER_JOURNALS_MS = 5000;
/** How far back that question looks, for events that come late. */
export const LATE_EVENTS_MS = 15_000;
/** A slider that is moved asks for the state when it has rested so long. */
export const REST_MS = 120;

/** The narrowest and the widest window of the timeline. */
export const WINDOW_MS_MIN = 2000;
export const WINDOW_MS_MAX = 400 * 24 * 3600 * 1000;
