/** Error numbers of Linux that the tool uses as exit status. */
export const EIO = 5;
export const EAGAIN = 11;
export const EINVAL = 22;
export const ENOSPC = 28;
export const ERANGE = 34;
export const EMSGSIZE = 90;
export const ETIMEDOUT = 110;

/** Of the names that connecting to a unix socket can fail with; 0 for others. */
export function errnoOfName(name: string): number {
  return CONNECT_ERRNOS.get(name) ?? 0;
}

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
