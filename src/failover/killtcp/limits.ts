/** Limits of ending connections; units are in the names. */

/** Each takes some 400 bytes. */
export const CONNECTIONS_MAX = 1_000_000;

/** A line of a list, as the original. */
export const LINE_BYTES_MAX = 127;

/** Lines that are wrong are told one by one up to here, then counted. */
export const PROBLEMS_TOLD_MAX = 20;

/** An end that does not answer is asked again after so long. */
export const ANSWER_MS = 100;

/** How often an end is asked. */
export const ATTEMPTS_MAX = 50;

/** After the last end was asked for the first time, the work ends at the latest: as long as 50 attempts take. */
export const RETRIES_MS_MAX = ATTEMPTS_MAX * ANSWER_MS;

/** Ends that were asked and may still answer. With ANSWER_MS this bounds what is sent to a silent network. */
export const ASKED_MAX = 4096;

/** The loop gets its turn, and answers are read, after so many are asked. */
export const ASKED_AT_ONCE_MAX = 64;

/** While the network takes no more. */
export const FULL_NETWORK_PAUSE_MS = 1;

/** In the whole run. */
export const FULL_NETWORK_PAUSES_MAX = 200;

/**
 * An end that was reset is gone when it is silent for so many times ANSWER_MS: one that lives acknowledges within
 * 200 ms what it had received before the reset.
 */
export const SILENCES_OF_THE_GONE = 3;

/** An end that goes on sending is reset again for each segment, so often. */
export const RESETS_MAX = 1000;
