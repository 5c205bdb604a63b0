/**
 * write(2) for programs that print a few lines and end: neither node:fs nor the rest of libc.ts is loaded,
 * which would take longer than what they print.
 */
import { dlopen, FFIType } from "bun:ffi";

const write = open();

/** Undefined where the C library has another name: then node:fs writes. */
function open() {
  const { i32, ptr, u64, i64_fast } = FFIType;
  try {
    const types = { args: [i32, ptr, u64], returns: i64_fast } as const;
    return dlopen("libc.so.6", { write: types }).symbols.write;
  } catch {
    return undefined;
  }
}

/** How many bytes were written; −1 when none were, for whatever reason. */
export function writeNow(descriptor: number, bytes: Uint8Array): number {
  return Number(write?.(descriptor, bytes, bytes.length) ?? -1);
}
