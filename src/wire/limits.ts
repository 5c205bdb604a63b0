/** Limits of what peers may send; units are in the names. */

/**
 * The longest packet that is accepted. The length field allows 4 GiB. The longest packets that honest
 * peers send are record buffers of a whole transaction (TRANS3_COMMIT), a traverse record and
 * a recovery message that holds one huge record; record buffers are otherwise cut at about 1 MB
 * (RecBufferSizeLimit). The daemons hold such databases whole in memory, so that 256 MiB is out of
 * reach for them, and small enough that one broken peer cannot exhaust a node.
 */
export const PACKET_BYTES_MAX = 256 * 1024 * 1024;

/** Names and lines of failed scripts in the answer to PING_HEALTH; longer ones are cut. */
export const SCRIPT_NAME_BYTES_MAX = 255;
export const SCRIPT_LINE_BYTES_MAX = 600;
/** The whole answer: who asks takes a longer one for none. */
export const HEALTH_BYTES_MAX = 1024;
/** Of each reason in the answer to PING_STANDING; longer ones are cut. */
export const STANDING_REASON_BYTES_MAX = 400;
/** How many flags it tells of, and the whole answer, for who asks. */
export const STANDING_FLAGS_MAX = 1024;
/** And of how many databases. */
export const STANDING_DATABASES_MAX = 64;
export const STANDING_BYTES_MAX = 512 * 1024;
/** Of the answer to PING_OPTIONS, for who asks: some dozens of lines of a configuration file. */
export const OPTIONS_BYTES_MAX = 256 * 1024;
/** Of the answer to PING_RELOAD, for who asks: some hundred lines, each at most as long as a message about a file. */
export const RELOAD_BYTES_MAX = 1024 * 1024;

/** Of the event daemon's packets (event_protocol.ts), which have a header of their own. */
export const EVENT_HEADER_BYTES = 12;

/** A framer keeps a buffer of this size; one beyond it is kept for a while, see below. */
export const FRAMER_BUFFER_KEPT_BYTES_MAX = 1024 * 1024;
/** A larger buffer is kept while large packets come, up to this size … */
export const FRAMER_LARGE_BUFFER_BYTES_MAX = 4 * 1024 * 1024;
/** … and given back when so often in a row a small one would have been enough. */
export const FRAMER_SMALL_FILLS_MAX = 16;
