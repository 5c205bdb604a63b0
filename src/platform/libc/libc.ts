/**
 * The C library: opening it, memory for its structs, errno.
 *
 * Invariants:
 * 1. errno belongs to the thread: its address is looked up once per thread (each worker loads its own
 *    copy of this module), and it is read right after the call that failed.
 * 2. Memory whose address C keeps or sees twice comes from `nativeMemory`: a typed array made without
 *    its own ArrayBuffer may move when `.buffer` is touched.
 *
 * Must not: know what the calls are for. docs/platform.md, "Foreign functions".
 */

import { constants } from "node:os";
import { addressOf, memoryAt, openLibrary } from "#foreign";
import { bytesText, textBytes } from "../../base/byte_text.ts";
import { SystemError } from "../../base/errors.ts";
import type { ForeignCalls, ForeignFunctions } from "../types/foreign.ts";
import { ERRNO_FUNCTIONS } from "./functions.ts";

/** glibc first; before 2.34 threads and timers lived in libraries of their own. */
const LIBRARY_NAMES = ["libc.so.6", "libpthread.so.0", "librt.so.1", muslName()];

function muslName(): string {
  return `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
}

const opened = new Map<ForeignFunctions, unknown>();

/**
 * The functions of one table (functions.ts) from the first library that has them all, opened once per thread.
 * Throws an Error that names what could not be found.
 */
export function openLibc<T extends ForeignFunctions>(functions: T): ForeignCalls<T> {
  let calls = opened.get(functions) as ForeignCalls<T> | undefined;
  if (calls === undefined) {
    calls = openAny(functions);
    opened.set(functions, calls);
  }
  return calls;
}

function openAny<T extends ForeignFunctions>(functions: T): ForeignCalls<T> {
  const failures: string[] = [];
  for (const name of LIBRARY_NAMES) {
    try {
      return openLibrary(name, functions);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`Cannot use the C library of this system: ${failures.join("; ")}`);
}

const errnoWord = new Int32Array(memoryAt(openLibc(ERRNO_FUNCTIONS).__errno_location(), 4));

/** errno of this thread, valid only directly after the failed call. */
export function errno(): number {
  return errnoWord[0] as number;
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
  ECONNREFUSED: constants.errno.ECONNREFUSED,
  ENOMEM: constants.errno.ENOMEM,
  ENOBUFS: constants.errno.ENOBUFS,
  ENODEV: constants.errno.ENODEV,
  ENETDOWN: constants.errno.ENETDOWN,
  EPROTONOSUPPORT: constants.errno.EPROTONOSUPPORT,
  EMFILE: constants.errno.EMFILE,
  ENFILE: constants.errno.ENFILE,
  ENAMETOOLONG: constants.errno.ENAMETOOLONG,
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
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly view: DataView;
}

/** Zeroed memory that stays where it is as long as the result is referenced. */
export function nativeMemory(byteLength: number): NativeMemory {
  const buffer = new ArrayBuffer(Math.ceil(byteLength / 8) * 8);
  const bytes = new Uint8Array(buffer, 0, byteLength);
  return {
    address: addressOf(bytes),
    bytes,
    words: new Int32Array(buffer),
    view: new DataView(buffer),
  };
}

/** What lies behind the last byte of a text may be no memory: of the smallest page that there is. */
const PAGE_BYTES = 4096;

/** Zero-terminated text in memory of C's. */
export function textAt(address: number): string {
  const text: number[] = [];
  for (let at = address; ; at += PAGE_BYTES - (at % PAGE_BYTES)) {
    const bytes = new Uint8Array(memoryAt(at, PAGE_BYTES - (at % PAGE_BYTES)));
    const end = bytes.indexOf(0);
    text.push(...(end === -1 ? bytes : bytes.subarray(0, end)));
    if (end !== -1) return bytesText(Uint8Array.from(text));
  }
}

/** Zero-terminated text for C; the text itself holds no zero byte. */
export function cText(text: string): Uint8Array {
  return textBytes(`${text}\0`);
}
