/** Numbers on which all nodes must agree: they are no options. */

/** How long a vote counts. Whoever gave it counts from when it was asked, whoever has it from when it asked. */
export const LEASE_MS = 9000;
/** What the holder's clock may be slower than others by, within a lease, and the time to tell that it is over. */
export const MARGIN_MS = 1000;
/** Between renewals. */
export const RENEW_MS = 2000;
/** Answers of a round are waited for so long. */
export const ROUND_MS = 1500;
/** Who shares the votes with others gives them back, and tries again after a time of this length at most. */
export const RETRY_MS_MAX = 1200;
