/** Limits of links and their queues; units are in the names. */

/** One link hands out at most this much before the other links get their turn. */
export const SLICE_PACKETS_MAX = 256;
export const SLICE_BYTES_MAX = 256 * 1024;
/** A packet from this size on goes to the stream when it is sent: a system call costs less than a copy. */
export const WRITTEN_AT_ONCE_BYTES_MIN = 64 * 1024;

/**
 * Above the first mark a node link is congested: clients that go on sending to that node are not read
 * from until the queue is below the second. Other nodes are always read from: two nodes that wait for
 * each other would wait for ever.
 */
export const NODE_QUEUE_CONGESTED_BYTES = 8 * 1024 * 1024;
export const NODE_QUEUE_RELIEVED_BYTES = 2 * 1024 * 1024;
/** A node that takes nothing until this much waits for it has its link restarted. */
export const NODE_QUEUE_BYTES_MAX = 1024 * 1024 * 1024;

/** A client that has this much unread is not read from until it took the replies that wait. */
export const CLIENT_QUEUE_CONGESTED_BYTES = 32 * 1024 * 1024;
export const CLIENT_QUEUE_RELIEVED_BYTES = 8 * 1024 * 1024;
/** Names and arguments of an event. */
export const EVENT_REQUEST_BYTES_MAX = 1024 * 1024;

/** Between attempts to connect to one node. */
export const CONNECT_INTERVAL_MS = 1000;
/** The same where that node has connected to us: it is up, and waits for us. */
export const ANSWER_INTERVAL_MS = 100;
export const CONNECT_TIMEOUT_MS = 1000;
/** To a node that is kept out: for a node of the original each attempt is a node that comes and goes. */
export const KEPT_OUT_INTERVAL_MS = 30_000;
/** What is still on its way to and from it is let through. */
export const KEPT_OUT_LINGER_MS = 1000;
/** When such a node connects and says the right thing: its nodes file may have been mended. */
export const KEPT_OUT_RETRY_MS = 5000;
/** An outgoing connection that ends sooner, with none from the node, was refused. */
export const REFUSED_WITHIN_MS = 500;
/** A link that breaks so often within this time is left alone, at first for the least time, then twice as long. */
export const FLAPS_MIN = 5;
export const FLAPS_WITHIN_MS = 60_000;
export const HOLD_MS_MIN = 5000;
export const HOLD_MS_MAX = 30_000;
