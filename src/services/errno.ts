/** Error numbers of Linux as the event protocol has them (docs/protocol.md, "Event protocol"). */
import type { SystemError } from "../base/errors.ts";

export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const ENOEXEC = 8;
export const EAGAIN = 11;
export const EINVAL = 22;
export const ENOMSG = 42;
export const ETIMEDOUT = 110;
export const ECANCELED = 125;

/** With what the C library says about them. */
const KNOWN: readonly (readonly [name: string, number: number, text: string])[] = [
  ["EPERM", 1, "Operation not permitted"],
  ["ENOENT", ENOENT, "No such file or directory"],
  ["EINTR", EINTR, "Interrupted system call"],
  ["EIO", EIO, "Input/output error"],
  ["E2BIG", 7, "Argument list too long"],
  ["ENOEXEC", ENOEXEC, "Exec format error"],
  ["EAGAIN", EAGAIN, "Resource temporarily unavailable"],
  ["ENOMEM", 12, "Cannot allocate memory"],
  ["EACCES", 13, "Permission denied"],
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
  ["ETIMEDOUT", ETIMEDOUT, "Connection timed out"],
  ["ECONNREFUSED", 111, "Connection refused"],
  ["ECANCELED", ECANCELED, "Operation canceled"],
];

export function errnoOf({ code }: SystemError): number {
  return KNOWN.find(([name]) => name === code)?.[1] ?? EIO;
}

export function errnoText(number: number): string {
  return KNOWN.find(([, known]) => known === number)?.[2] ?? `Unknown error ${number}`;
}
