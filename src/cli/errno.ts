/** Error numbers of Linux that the tool uses as exit status. */
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const EINVAL = 22;
export const ENOSPC = 28;
export const ERANGE = 34;
export const ETIME = 62;
export const EMSGSIZE = 90;
export const ETIMEDOUT = 110;

/** Of the names that connecting to a unix socket can fail with; 0 for others. */
export function errnoOfName(name: string): number {
  return CONNECT_ERRNOS.get(name) ?? 0;
}

/** What the C library says about an error of starting a program; the name for others. */
export function errnoText(name: string): string {
  return START_TEXTS.get(name) ?? name;
}

const START_TEXTS = new Map([
  ["ENOENT", "No such file or directory"],
  ["E2BIG", "Argument list too long"],
  ["ENOEXEC", "Exec format error"],
  ["EACCES", "Permission denied"],
  ["ENOTDIR", "Not a directory"],
  ["ELOOP", "Too many levels of symbolic links"],
]);

const CONNECT_ERRNOS = new Map([
  ["ENOENT", 2],
  ["EAGAIN", EAGAIN],
  ["EACCES", 13],
  ["ENOTDIR", 20],
  ["ENAMETOOLONG", 36],
  ["EPROTOTYPE", 91],
  ["ETIMEDOUT", ETIMEDOUT],
  ["ECONNREFUSED", 111],
]);
