/** Limits of one takeover run; units are in the names. */

/** Deadline of requests before the tunables are known: the usual TakeoverTimeout. */
export const FIRST_REQUEST_TIMEOUT_MS = 9000;
/** Smallest deadline of a request, should TakeoverTimeout be 0. */
export const REQUEST_TIMEOUT_MIN_MS = 1000;
/**
 * All steps that change something have this many times TakeoverTimeout together: a release that ends TCP
 * connections may take longer than its share.
 */
export const STEPS_TIMEOUT_FACTOR = 3;
/** RELEASE_IP requests on their way at the same time; each waits for an answer. */
export const REQUESTS_AT_ONCE_MAX = 20_000;
