/**
 * The one buffer that all streams and pipes of a thread read into: lent for the call that hands on what was read.
 */
import { PrefixViews } from "../../base/prefix_views.ts";
import { nativeMemory } from "../libc/libc.ts";

/** As much as one read takes, and so the work of one owner in one look. */
export const RECEIVE_BYTES_MAX = 256 * 1024;

export interface ReceiveBuffer {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** What was read. */
  readonly views: PrefixViews;
}

let buffer: ReceiveBuffer | undefined;

export function receiveBuffer(): ReceiveBuffer {
  if (buffer === undefined) {
    const memory = nativeMemory(RECEIVE_BYTES_MAX);
    buffer = { address: memory.address, bytes: memory.bytes, views: new PrefixViews(memory.bytes) };
  }
  return buffer;
}
