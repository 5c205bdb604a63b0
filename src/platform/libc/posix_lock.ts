/**
 * Byte-range locks of the process (F_SETLK), for ping_pong: programs on a cluster file system take these,
 * and some such file systems know no others.
 *
 * Must not: be used where TDBs are open (range_lock.ts is for those): the locks of a file go when any
 * descriptor of it is closed.
 */
import { memoryAt } from "#foreign";
import { DESCRIPTOR_FUNCTIONS, ERROR_TEXT_FUNCTIONS, SHARED_FILE_FUNCTIONS } from "./functions.ts";
import { ERRNO, errno, nativeMemory, openLibc, textAt } from "./libc.ts";

const F_GETLK = 5;
const F_SETLK = 6;
const F_SETLKW = 7;
const F_WRLCK = 1;
const F_UNLCK = 2;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

const libc = openLibc(DESCRIPTOR_FUNCTIONS);

/** struct flock of 64-bit Linux, as in range_lock.ts. */
const flock = nativeMemory(32);

function fill(type: number, start: number, length: number): void {
  flock.words[0] = type;
  flock.words[2] = start;
  flock.words[3] = 0;
  flock.words[4] = length;
  flock.words[5] = 0;
  flock.words[6] = 0;
}

/** 0, or the error number; with `wait` it blocks the process. */
export function lockForWriting(
  descriptor: number,
  start: number,
  length: number,
  wait: boolean,
): number {
  return set(descriptor, F_WRLCK, start, length, wait ? F_SETLKW : F_SETLK);
}

export function unlock(descriptor: number, start: number, length: number): number {
  return set(descriptor, F_UNLCK, start, length, F_SETLKW);
}

function set(
  descriptor: number,
  type: number,
  start: number,
  length: number,
  command: number,
): number {
  for (;;) {
    fill(type, start, length);
    if (libc.fcntl(descriptor, command, flock.address) === 0) return 0;
    const number = errno();
    if (number !== ERRNO.EINTR) return number;
  }
}

export interface LockHolder {
  readonly pid: number;
  readonly type: number;
  readonly start: number;
  readonly length: number;
}

/** Who keeps us from locking the range: undefined for nobody, a number for an error. */
export function lockHolder(
  descriptor: number,
  start: number,
  length: number,
): LockHolder | number | undefined {
  fill(F_WRLCK, start, length);
  if (libc.fcntl(descriptor, F_GETLK, flock.address) !== 0) return errno();
  const type = (flock.words[0] as number) & 0xffff;
  if (type === F_UNLCK) return undefined;
  const [, , from = 0, , bytes = 0, , pid = 0] = flock.words;
  return { pid, type, start: from, length: bytes };
}

/** The file's first bytes, shared with whoever maps it; or the error number. */
export function mapShared(descriptor: number, byteLength: number): Uint8Array | number {
  const { mmap } = openLibc(SHARED_FILE_FUNCTIONS);
  const address = mmap(0, byteLength, PROT_READ_WRITE, MAP_SHARED, descriptor, 0);
  return address === -1 ? errno() : new Uint8Array(memoryAt(address, byteLength));
}

/** The C library's words for an error number. */
export function errorText(number: number): string {
  return textAt(openLibc(ERROR_TEXT_FUNCTIONS).strerror(number));
}
