/** Below this a loop is faster than the call that copies blocks. */
const LOOP_COPY_BYTES_MAX = 32;

/** Copies `length` bytes of the source from `from` on to where `at` is in the target. */
export function copyInto(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from = 0,
  length = source.length - from,
): void {
  if (length <= LOOP_COPY_BYTES_MAX) {
    for (let i = 0; i < length; i++) target[at + i] = source[from + i] as number;
  } else if (length === source.length) {
    target.set(source, at);
  } else {
    target.set(source.subarray(from, from + length), at);
  }
}
