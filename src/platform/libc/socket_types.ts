/** Kinds of sockets, and the flags that all of ours have: non-blocking, and closed in children. */
export const AF_UNIX = 1;

const NONBLOCK_AND_CLOEXEC = 0o2004000;

export const SOCK_STREAM = 1 | NONBLOCK_AND_CLOEXEC;
export const SOCK_DGRAM = 2 | NONBLOCK_AND_CLOEXEC;
export const SOCK_RAW = 3 | NONBLOCK_AND_CLOEXEC;
/** For accept4. */
export const SOCK_ACCEPTED = NONBLOCK_AND_CLOEXEC;
