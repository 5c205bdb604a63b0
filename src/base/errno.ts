/**
 * Error numbers of Linux, which the protocols, exit statuses and logs of CTDB have the same on every system, and what
 * the C library says about them. Those of the system that runs are in platform/libc/libc.ts.
 */
import type { SystemError } from "./errors.ts";

export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const E2BIG = 7;
export const ENOEXEC = 8;
export const EAGAIN = 11;
export const EACCES = 13;
export const EBUSY = 16;
export const EEXIST = 17;
export const EINVAL = 22;
export const ENOSPC = 28;
export const EPIPE = 32;
export const ERANGE = 34;
export const ENOMSG = 42;
export const ETIME = 62;
export const EMSGSIZE = 90;
export const ENOTCONN = 107;
export const ETIMEDOUT = 110;
export const ECANCELED = 125;

const KNOWN: readonly (readonly [name: string, number: number, text: string])[] = [
  ["EPERM", EPERM, "Operation not permitted"],
  ["ENOENT", ENOENT, "No such file or directory"],
  ["EINTR", EINTR, "Interrupted system call"],
  ["EIO", EIO, "Input/output error"],
  ["E2BIG", E2BIG, "Argument list too long"],
  ["ENOEXEC", ENOEXEC, "Exec format error"],
  ["EAGAIN", EAGAIN, "Resource temporarily unavailable"],
  ["ENOMEM", 12, "Cannot allocate memory"],
  ["EACCES", EACCES, "Permission denied"],
  ["EBUSY", EBUSY, "Device or resource busy"],
  ["EEXIST", EEXIST, "File exists"],
  ["ENOTDIR", 20, "Not a directory"],
  ["EISDIR", 21, "Is a directory"],
  ["EINVAL", EINVAL, "Invalid argument"],
  ["ENFILE", 23, "Too many open files in system"],
  ["EMFILE", 24, "Too many open files"],
  ["ETXTBSY", 26, "Text file busy"],
  ["EROFS", 30, "Read-only file system"],
  ["ENAMETOOLONG", 36, "File name too long"],
  ["ELOOP", 40, "Too many levels of symbolic links"],
  ["ENOMSG", ENOMSG, "No message of desired type"],
  ["EPROTO", 71, "Protocol error"],
  ["EPROTOTYPE", 91, "Protocol wrong type for socket"],
  ["ETIMEDOUT", ETIMEDOUT, "Connection timed out"],
  ["ECONNREFUSED", 111, "Connection refused"],
  ["ECANCELED", ECANCELED, "Operation canceled"],
];

/** EIO for those that are not known. */
export function errnoOf({ code }: Pick<SystemError, "code">): number {
  return KNOWN.find(([name]) => name === code)?.[1] ?? EIO;
}

export function errnoText(number: number): string {
  return KNOWN.find(([, known]) => known === number)?.[2] ?? `Unknown error ${number}`;
}

/** Of an error by its name; the name for those that are not known. */
export function errnoNameText(code: string): string {
  return KNOWN.find(([name]) => name === code)?.[2] ?? code;
}
