/**
 * The one buffer that all streams and pipes of a thread read into: lent for the call that hands on what was read.
 */
import { type NativeMemory, nativeMemory } from "../libc/libc.ts";

/** As much as one read takes, and so the work of one owner in one look. */
export const RECEIVE_BYTES_MAX = 256 * 1024;

let buffer: NativeMemory | undefined;

export function receiveBuffer(): NativeMemory {
  buffer ??= nativeMemory(RECEIVE_BYTES_MAX);
  return buffer;
}
