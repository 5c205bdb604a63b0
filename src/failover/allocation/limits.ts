/** Limits of an allocation; units are in the names. */

/** Different public addresses of a cluster: the work grows with their square. */
export const ADDRESSES_MAX = 2000;
/** Nodes of a cluster, as their numbers go: what they say is kept by number. */
export const NODES_MAX = 4096;
