/** Limits of what peers may send; units are in the names. */

/**
 * The longest packet that is accepted. The length field allows 4 GiB. The longest packets that honest
 * peers send are record buffers of a whole transaction (TRANS3_COMMIT), a traverse record and
 * a recovery message that holds one huge record; record buffers are otherwise cut at about 1 MB
 * (RecBufferSizeLimit). The daemons hold such databases whole in memory, so that 256 MiB is out of
 * reach for them, and small enough that one broken peer cannot exhaust a node.
 */
export const PACKET_BYTES_MAX = 256 * 1024 * 1024;

/**
 * A framer that had to assemble a packet larger than this gives its buffer back afterwards.
 */
export const FRAMER_BUFFER_KEPT_BYTES_MAX = 1024 * 1024;
