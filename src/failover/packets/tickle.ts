/**
 * The segment that makes an end of a connection speak: an ACK that cannot belong to it, as if the other end had sent it. A
 * client whose server's address has moved answers it to the node that has the address now, whose kernel knows no such
 * connection and resets it; so the client connects again at once instead of waiting for its own time-outs.
 *
 * Segments of ours are told by their window (docs/platform.md, "Raw packets").
 */
import type { SystemError } from "../../base/errors.ts";
import type { Result } from "../../base/result.ts";
import type { RawNetwork, TcpEnd, TcpSegment } from "../../platform/types/raw_network.ts";

/** Segments go from `src` to `dst`, whoever sends them. */
export interface TcpPath {
  readonly src: TcpEnd;
  readonly dst: TcpEnd;
}

const OWN_WINDOW = 1234;

/** The number that tickles have, and another for a connection that happens to expect that one. */
export const TICKLE_SEQUENCES = [0, 0x80000000] as const;

/** For a client: `src` is the address that moved here, `dst` the client. How often is the caller's business. */
export function sendTickle(
  network: RawNetwork,
  { src, dst }: TcpPath,
  seq: (typeof TICKLE_SEQUENCES)[number] = TICKLE_SEQUENCES[0],
): Result<void, SystemError> {
  const flags = { ack: true, rst: false, syn: false };
  return network.sendSegment({ src, dst, seq, ack: 0, flags, window: OWN_WINDOW });
}

/** Ends the connection at `dst`: `seq` is what it expects next from `src`. */
export function sendReset(
  network: RawNetwork,
  { src, dst }: TcpPath,
  numbers: { readonly seq: number; readonly ack: number },
): Result<void, SystemError> {
  const flags = { ack: true, rst: true, syn: false };
  return network.sendSegment({ src, dst, ...numbers, flags, window: OWN_WINDOW });
}

/** What we sent, and a capture shows again. */
export function isOwnSegment({ window, flags, seq }: TcpSegment): boolean {
  if (window !== OWN_WINDOW) return false;
  return flags.rst || TICKLE_SEQUENCES.some((tickle) => tickle === seq);
}
