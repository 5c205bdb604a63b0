/**
 * Memory of large buffers, given back when their use ends instead of at some garbage collection. A recovery
 * moves gigabytes through buffers of a megabyte: without this each of them is memory that the kernel has to
 * find and clear, which costs more than what is done with the bytes.
 */

/** Smaller ones cost less to collect than to give back. */
const FREED_BYTES_MIN = 64 * 1024;

/**
 * The bytes are gone afterwards, and with them every view of the same buffer: for who owns the buffer, and
 * lent it only for calls that have returned. Does nothing with a part of a larger buffer.
 */
export function freeNow(bytes: Uint8Array): void {
  if (bytes.length < FREED_BYTES_MIN) return;
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) buffer.transfer(0);
}
