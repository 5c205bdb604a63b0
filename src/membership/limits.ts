/** Limits of getting to know other nodes; units are in the names. */

/** A node that closes so many connections in a row at once, a second apart, is not just about to start. */
export const REFUSALS_MAX = 10;
/** The oldest Samba release whose nodes ours work with, 4.17: older ones have another protocol. */
export const OLDEST_RELEASE = (4 << 16) | 17;
/**
 * So many keepalives a node does not get while nothing is known of its release: its own tells it, and comes within one
 * interval of the connection, which may end after our first and second.
 */
export const KEEPALIVES_HELD_BACK_MAX = 2;
/** So many intervals before it would count us as dead it gets one in any case. */
export const KEEPALIVES_IN_RESERVE = 3;
/** A node that is kept out has so long to tell its node map. */
export const NODE_MAP_ANSWER_MS = 5000;
