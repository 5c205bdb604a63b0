/** Limits of getting to know other nodes; units are in the names. */

/** A node that closes so many connections in a row at once, a second apart, is not just about to start. */
export const REFUSALS_MAX = 10;
/** A node that is kept out has so long to tell its node map. */
export const NODE_MAP_ANSWER_MS = 5000;
