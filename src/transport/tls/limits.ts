/** Limits of node links over TLS; units are in the names. */

/** What a handshake may take on the side that was connected to; the other has CONNECT_TIMEOUT_MS. */
export const HANDSHAKE_TIMEOUT_MS = 3000;
/** Handshakes of connections that were made to us, all and from one address; others are closed at once. */
export const HANDSHAKES_MAX = 256;
export const HANDSHAKES_OF_ADDRESS_MAX = 4;
/** What may come before a handshake is over: chains of certificates are far below. */
export const HANDSHAKE_BYTES_MAX = 64 * 1024;
/** Causes and peers that have been told in the log. */
export const TOLD_MAX = 1024;
/** How often the files of our certificate are looked at, and links at their certificates. */
export const LOOK_INTERVAL_MS = 10_000;
/** In which the validity of certificates is counted. */
export const DAY_MS = 86_400_000;
/** From here on the log tells each day that a certificate ends. */
export const WARNED_DAYS = 30;
/** A link whose certificate has ended is ended when the node shows no new one for so long. */
export const BROKEN_LINK_MS = 60_000;
/** Lines of the list of revoked certificates. */
export const REVOKED_MAX = 65_536;
