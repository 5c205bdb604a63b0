/**
 * Every function of the C library that we call, declared once: by subject, because opening one costs time at
 * the start of a role. `int` is i32, `size_t`, `ssize_t` and `off_t` are i64, and what is variadic (`fcntl`, `syscall`)
 * takes i64, which is also an address.
 */
import type { ForeignFunctions } from "../types/foreign.ts";

export const ERRNO_FUNCTIONS = {
  __errno_location: [[], "address"],
} as const satisfies ForeignFunctions;

export const DESCRIPTOR_FUNCTIONS = {
  fcntl: [["i32", "i32", "i64"], "i32"],
  read: [["i32", "bytes", "i64"], "i64"],
  write: [["i32", "bytes", "i64"], "i64"],
  close: [["i32"], "i32"],
} as const satisfies ForeignFunctions;

export const PIPE_FUNCTIONS = {
  pipe2: [["address", "i32"], "i32"],
} as const satisfies ForeignFunctions;

export const REDIRECT_FUNCTIONS = {
  dup3: [["i32", "i32", "i32"], "i32"],
} as const satisfies ForeignFunctions;

export const FILE_LOCK_FUNCTIONS = {
  flock: [["i32", "i32"], "i32"],
} as const satisfies ForeignFunctions;

export const LIMIT_FUNCTIONS = {
  getrlimit: [["i32", "address"], "i32"],
} as const satisfies ForeignFunctions;

export const LOOP_FUNCTIONS = {
  epoll_create1: [["i32"], "i32"],
  epoll_ctl: [["i32", "i32", "i32", "address"], "i32"],
  epoll_wait: [["i32", "address", "i32", "i32"], "i32"],
  timerfd_create: [["i32", "i32"], "i32"],
  timerfd_settime: [["i32", "i32", "address", "address"], "i32"],
} as const satisfies ForeignFunctions;

export const PAIR_FUNCTIONS = {
  socketpair: [["i32", "i32", "i32", "address"], "i32"],
} as const satisfies ForeignFunctions;

export const STREAM_FUNCTIONS = {
  recv: [["i32", "address", "i64", "i32"], "i64"],
  send: [["i32", "bytes", "i64", "i32"], "i64"],
} as const satisfies ForeignFunctions;

export const SOCKET_FUNCTIONS = {
  socket: [["i32", "i32", "i32"], "i32"],
  connect: [["i32", "address", "u32"], "i32"],
  getsockopt: [["i32", "i32", "i32", "address", "address"], "i32"],
  setsockopt: [["i32", "i32", "i32", "address", "u32"], "i32"],
} as const satisfies ForeignFunctions;

export const LISTEN_FUNCTIONS = {
  bind: [["i32", "address", "u32"], "i32"],
  listen: [["i32", "i32"], "i32"],
  accept4: [["i32", "address", "address", "i32"], "i32"],
} as const satisfies ForeignFunctions;

export const ADDRESS_FUNCTIONS = {
  inet_pton: [["i32", "bytes", "address"], "i32"],
  inet_ntop: [["i32", "address", "address", "u32"], "address"],
} as const satisfies ForeignFunctions;

export const INTERFACE_FUNCTIONS = {
  getifaddrs: [["address"], "i32"],
  freeifaddrs: [["address"], "void"],
} as const satisfies ForeignFunctions;

/** Datagrams with an address, for sockets that are not connected. */
export const DATAGRAM_FUNCTIONS = {
  sendto: [["i32", "address", "i64", "i32", "address", "u32"], "i64"],
} as const satisfies ForeignFunctions;

export const INTERFACE_INDEX_FUNCTIONS = {
  if_nametoindex: [["bytes"], "u32"],
} as const satisfies ForeignFunctions;

export const POLL_FUNCTIONS = {
  poll: [["address", "i64", "i32"], "i32"],
} as const satisfies ForeignFunctions;

export const CLOCK_FUNCTIONS = {
  clock_gettime: [["i32", "address"], "i32"],
} as const satisfies ForeignFunctions;

export const SHARED_FILE_FUNCTIONS = {
  mmap: [["address", "i64", "i32", "i32", "i32", "i64"], "address"],
  munmap: [["address", "i64"], "i32"],
  lseek: [["i32", "i64", "i32"], "i64"],
  fallocate: [["i32", "i32", "i64", "i64"], "i32"],
  posix_fallocate: [["i32", "i64", "i64"], "i32"],
  ftruncate: [["i32", "i64"], "i32"],
  pwrite: [["i32", "bytes", "i64", "i64"], "i64"],
  sysconf: [["i32"], "i64"],
} as const satisfies ForeignFunctions;

export const MEMORY_FUNCTIONS = {
  madvise: [["address", "i64", "i32"], "i32"],
} as const satisfies ForeignFunctions;

export const MUTEX_FUNCTIONS = {
  pthread_mutex_trylock: [["address"], "i32"],
  pthread_mutex_unlock: [["address"], "i32"],
  pthread_mutex_consistent: [["address"], "i32"],
} as const satisfies ForeignFunctions;

export const MUTEX_INIT_FUNCTIONS = {
  pthread_mutexattr_init: [["address"], "i32"],
  pthread_mutexattr_setpshared: [["address", "i32"], "i32"],
  pthread_mutexattr_settype: [["address", "i32"], "i32"],
  pthread_mutexattr_setrobust: [["address", "i32"], "i32"],
  pthread_mutex_init: [["address", "address"], "i32"],
} as const satisfies ForeignFunctions;

/** Missing in glibc before 2.30. */
export const MUTEX_WAIT_FUNCTIONS = {
  pthread_mutex_clocklock: [["address", "i32", "address"], "i32"],
} as const satisfies ForeignFunctions;

export const ALARM_FUNCTIONS = {
  timer_create: [["i32", "address", "address"], "i32"],
  timer_settime: [["address", "i32", "address", "address"], "i32"],
  dlsym: [["address", "bytes"], "address"],
  sigaction: [["i32", "address", "address"], "i32"],
  syscall: [["i64"], "i64"],
} as const satisfies ForeignFunctions;

export const SCHEDULING_FUNCTIONS = {
  sched_setscheduler: [["i32", "i32", "address"], "i32"],
  sched_getscheduler: [["i32"], "i32"],
} as const satisfies ForeignFunctions;

export const ERROR_TEXT_FUNCTIONS = {
  strerror: [["i32"], "address"],
} as const satisfies ForeignFunctions;
