/** Limits of explanations; units are in the names. */

/** Causes of causes, causes of one event, and all of them. */
export const CHAIN_DEPTH_MAX = 8;
export const CAUSES_MAX = 4;
export const EXPLAINED_EVENTS_MAX = 60;

/** Causes are looked for so long before what they caused, and what tells of a death so long after it. */
export const CONTEXT_MS = 30 * 60_000;
export const EVIDENCE_MS = 5 * 60_000;
/** Clocks of nodes are known about so exactly, and a child tells of its events about so late. */
export const CLOCK_ERROR_MS = 500;
export const REPORT_DELAY_MS = 100;
/** Several nodes tell of the same within this. */
export const SAME_MOMENT_MS = 10_000;

/** What is read of one journal for an answer. */
export const CONTEXT_EVENTS_MAX = 1000;
export const EVIDENCE_EVENTS_MAX = 50;
export const ANCHOR_PAGES_MAX = 10;
export const ANCHOR_PAGE_EVENTS = 500;
