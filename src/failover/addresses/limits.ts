/** Limits of what a node keeps about public addresses; units are in the names. */

/** Addresses that this node knows, also those that were added while it runs. */
export const ADDRESSES_MAX = 4096;
/** Connections to one address that are told to the others; a list of so many is 5.6 MB. */
export const CONNECTIONS_PER_ADDRESS_MAX = 100_000;
/** Connections that one client has told us of. */
export const CONNECTIONS_PER_CLIENT_MAX = 10_000;
/** Who waits for the end of the same release. */
export const RELEASE_WAITERS_MAX = 64;
/** Segments that are sent without a look at anything else; a few microseconds each. */
export const TICKLES_PER_TURN_MAX = 250;
/** Repeated announcements that other programs asked for. */
export const REQUESTED_ANNOUNCEMENTS_MAX = 1000;
