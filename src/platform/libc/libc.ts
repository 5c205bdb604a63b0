/**
 * The C library through bun:ffi: opening it, memory for its structs, errno.
 *
 * Invariants:
 * 1. errno belongs to the thread: its address is looked up once per thread (each worker loads its own
 *    copy of this module), and it is read right after the call that failed.
 * 2. Memory whose address C keeps or sees twice comes from `nativeMemory`: a typed array made without
 *    its own ArrayBuffer may move when `.buffer` is touched.
 *
 * Must not: know what the calls are for. docs/platform.md, "Foreign functions".
 */
import { dlopen, type FFIFunction, type Library, type Pointer, ptr, read } from "bun:ffi";
import { constants } from "node:os";
import { textBytes } from "../../base/byte_text.ts";
import { SystemError } from "../../base/errors.ts";

/** glibc first; before 2.34 threads and timers lived in libraries of their own. */
const LIBRARY_NAMES = ["libc.so.6", "libpthread.so.0", "librt.so.1", muslName()];

function muslName(): string {
  return `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
}

/**
 * Opens the symbols from the first library that has all of them. Throws an Error naming the first
 * symbol set that could not be found.
 */
export function openLibc<T extends Record<string, FFIFunction>>(symbols: T): Library<T>["symbols"] {
  const failures: string[] = [];
  for (const name of LIBRARY_NAMES) {
    try {
      return dlopen(name, symbols).symbols;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`Cannot use the C library of this system: ${failures.join("; ")}`);
}

const errnoLibrary = openLibc({ __errno_location: { args: [], returns: "ptr" } });
const errnoAddress = errnoLibrary.__errno_location() as Pointer;

/** errno of this thread, valid only directly after the failed call. */
export function errno(): number {
  return read.i32(errnoAddress, 0);
}

/** Numbers that this project tells apart. */
export const ERRNO = {
  EINTR: constants.errno.EINTR,
  ENOSPC: constants.errno.ENOSPC,
  EAGAIN: constants.errno.EAGAIN,
  EACCES: constants.errno.EACCES,
  EBUSY: constants.errno.EBUSY,
  EDEADLK: constants.errno.EDEADLK,
  EINVAL: constants.errno.EINVAL,
  EOPNOTSUPP: constants.errno.EOPNOTSUPP,
  EINPROGRESS: constants.errno.EINPROGRESS,
  ETIMEDOUT: constants.errno.ETIMEDOUT,
  /** A robust mutex whose owner died; node:os does not list it. */
  EOWNERDEAD: 130,
  ENOTRECOVERABLE: 131,
} as const;

const errnoNames = new Map<number, string>([
  ...Object.entries(constants.errno).map(([name, number]) => [number, name] as const),
  [ERRNO.EAGAIN, "EAGAIN"],
  [ERRNO.EOPNOTSUPP, "EOPNOTSUPP"],
  [ERRNO.EOWNERDEAD, "EOWNERDEAD"],
  [ERRNO.ENOTRECOVERABLE, "ENOTRECOVERABLE"],
]);

function errnoName(number: number): string {
  return errnoNames.get(number) ?? `errno ${number}`;
}

export function systemError(number: number, call: string, path: string): SystemError {
  return new SystemError(errnoName(number), call, path);
}

export { systemErrorFrom } from "../node/thrown_error.ts";

export interface NativeMemory {
  readonly address: Pointer;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly view: DataView;
}

/** Zeroed memory that stays where it is as long as the result is referenced. */
export function nativeMemory(byteLength: number): NativeMemory {
  const buffer = new ArrayBuffer(Math.ceil(byteLength / 8) * 8);
  const bytes = new Uint8Array(buffer, 0, byteLength);
  return {
    address: ptr(bytes),
    bytes,
    words: new Int32Array(buffer),
    view: new DataView(buffer),
  };
}

/** Zero-terminated text for C. Undefined when the text itself holds a zero byte. */
export function cString(text: string): NativeMemory | undefined {
  if (text.includes("\0")) return undefined;
  const encoded = textBytes(text);
  const memory = nativeMemory(encoded.length + 1);
  memory.bytes.set(encoded);
  return memory;
}
