/** Limits of traverses and of streams to clients; units are in the names. */

/** Bytes that a traverse puts into output queues in one slice. */
export const TRAVERSE_SLICE_BYTES = 512 * 1024;

/**
 * A walk sends this much, then waits until the node that collects says that it may go on: so much waits
 * on the link to it, and so much of each node for a client that is slow.
 */
export const TRAVERSE_WINDOW_BYTES = 512 * 1024;

/** The nodes of a traverse are not told to go on while more than this waits for the client. */
export const TRAVERSE_BACKLOG_BYTES_MAX = 1024 * 1024;
export const TRAVERSE_BACKLOG_LOOK_MS = 10;

/** But they are after this time: it is less than the time that they wait, TraverseTimeout. */
export const TRAVERSE_HOLD_MS_MAX = 5000;

/** A stream to a client of another node asks how far that one is behind, once for so many bytes. */
export const BACKLOG_ASK_BYTES = 2 * 1024 * 1024;

/** Without an answer in this time it goes on, and asks no more. */
export const BACKLOG_ANSWER_MS = 10_000;

/** Traverses that this node serves or has started at the same time. */
export const TRAVERSES_MAX = 1000;
