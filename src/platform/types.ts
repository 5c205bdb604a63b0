/**
 * Everything that touches the operating system, as interfaces. `platform/bun` implements them for the
 * real executable, `test/sim` for virtual time. Core code receives these as constructor arguments and
 * never reaches the outside world in another way (DESIGN rule 1).
 *
 * Rules that hold for every implementation:
 * 1. Nothing blocks the caller. What can wait reports through a callback, which never runs inside the
 *    call that requested it.
 * 2. A callback is not invoked after its object was closed or cancelled.
 * 3. Byte chunks handed to a callback are valid only during that callback.
 * 4. Expected failures are `SystemError` values with errno name, call and path.
 */
import type { SystemError } from "../base/errors.ts";
import type { Result } from "../base/result.ts";

// --- time and chance ---------------------------------------------------------------------------

/** Seconds and microseconds since 1970, as in C's struct timeval. */
export interface Timeval {
  readonly sec: number;
  readonly usec: number;
}

export interface Clock {
  /** Milliseconds, fractional, from an arbitrary start; never goes back. */
  monotonicMs(): number;
  wallTime(): Timeval;
}

export interface Timer {
  cancel(): void;
}

/**
 * Delays may be of any length: callers hand on what an administrator said, times 1000. Negative ones are over
 * at once, Infinity never ends.
 */
export interface Timers {
  after(delayMs: number, action: () => void): Timer;
  /** Repeats until cancelled; a late turn does not cause a burst. */
  every(intervalMs: number, action: () => void): Timer;
  /** Runs once, after the work of the current turn and before further input is read. */
  soon(action: () => void): void;
  /** Runs once, after the input that is there was read; does not sleep. For long work in pieces. */
  nextTurn(action: () => void): void;
}

export interface Random {
  /** Uniform in 0..0xFFFFFFFF. */
  u32(): number;
}

// --- byte streams ------------------------------------------------------------------------------

export interface StreamHandlers {
  /** The chunk is valid during the call only: its memory is used again. */
  onData(chunk: Uint8Array): void;
  /** Room again after `write` took less than it was given. */
  onDrain(): void;
  /** End of stream or failure; comes once, also after the peer closed; not after our `close()`. */
  onClose(reason: SystemError | undefined): void;
}

export interface Stream {
  /** Takes as many bytes as fit now and returns how many; the rest is the caller's until onDrain. */
  write(bytes: Uint8Array): number;
  /** Stops reading; data that already arrived may still be delivered once. */
  pause(): void;
  resume(): void;
  /** Closes at once; what `write` took is still sent as far as the system does. */
  close(): void;
  /** Peer process of a unix stream, from SO_PEERCRED. */
  readonly peer: { readonly pid: number; readonly uid: number } | undefined;
  /** Peer address of a TCP stream. */
  readonly remoteAddress: string | undefined;
}

/** Asked for each accepted stream; the handlers it returns serve that stream. */
export type Acceptor = (stream: Stream) => StreamHandlers;

export interface StreamServer {
  close(): void;
}

/** Told by a listener about itself, never inside the call that made it. */
export interface AcceptNotices {
  /** The process has nearly as many descriptors open as it may: connections wait in the system. */
  paused(descriptorsMax: number): void;
  resumed(): void;
}

export interface Network {
  /**
   * Removes nothing by itself: a path in use gives EADDRINUSE. Listeners leave some descriptors to the process,
   * for unix sockets more than for TCP, and accept nothing until there are more.
   */
  listenUnix(
    path: string,
    mode: number,
    accept: Acceptor,
    notices?: AcceptNotices,
  ): Result<StreamServer, SystemError>;
  listenTcp(
    address: string,
    port: number,
    accept: Acceptor,
    notices?: AcceptNotices,
  ): Result<StreamServer, SystemError>;
  /** The callback gets the stream or the failure; its result serves the stream. */
  connectUnix(path: string, connected: ConnectCallback): Timer;
  /** From `localAddress` with a free port; TCP_NODELAY and SO_KEEPALIVE are set. */
  connectTcp(
    to: { address: string; port: number; localAddress?: string; timeoutMs: number },
    connected: ConnectCallback,
  ): Timer;
  interfaces(): Result<readonly NetworkInterface[], SystemError>;
}

/** Returns the handlers when it got a stream; what it returns on failure is ignored. */
export type ConnectCallback = (outcome: Result<Stream, SystemError>) => StreamHandlers | undefined;

export interface NetworkInterface {
  readonly name: string;
  readonly up: boolean;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
}

// --- files -------------------------------------------------------------------------------------

export interface FileSystem {
  readText(path: string): Result<string, SystemError>;
  /** Creates or replaces; the mode applies on creation. */
  writeText(path: string, text: string, mode?: number): Result<void, SystemError>;
  exists(path: string): boolean;
  makeDirectory(path: string, mode?: number): Result<void, SystemError>;
  /** Names in the directory, sorted, without . and .. */
  list(path: string): Result<readonly string[], SystemError>;
  remove(path: string): Result<void, SystemError>;
  rename(from: string, to: string): Result<void, SystemError>;
  /** Can this process create files in the directory? */
  isWritableDirectory(path: string): boolean;
}

// --- TDB files: mapping, byte ranges, mutexes --------------------------------------------------

export type LockType = "read" | "write";

/** "busy" means that somebody else holds it. */
export type TryLock = "granted" | "busy" | SystemError;

/**
 * One open file description of a TDB file. Byte-range locks are open-file-description locks
 * (F_OFD_SETLK), so two SharedFiles on one path exclude each other even within one process.
 * Offsets are raw file offsets. A length of 0 means to the end of the file and beyond.
 */
export interface SharedFile {
  readonly path: string;
  /** Current size by fstat: another process may have grown the file. */
  size(): number;
  /**
   * The first `byteLength` bytes as a view of the shared mapping. The window is mapped once (4 GiB +
   * the mutex area, MAP_NORESERVE); a new view is needed after growth. Bytes past the end of file must not be
   * touched. Views die with close().
   */
  view(byteLength: number): ArrayBuffer;
  /** posix_fallocate, or ftruncate and writing 0x42 where that is not supported. */
  extend(newSize: number): Result<void, SystemError>;
  /**
   * Disk space for so many bytes behind the end, which `extend` will use (fallocate with KEEP_SIZE): the
   * size stays. ENOSPC leaves things as they were. A success where the file system cannot tell. Of more than
   * 16 MiB it is only looked whether they are there.
   *
   * What is free is asked on a worker thread. `done` runs inside the call or later, and not after close().
   */
  reserve(byteLength: number, done: (outcome: Result<void, SystemError>) => void): void;
  truncate(newSize: number): Result<void, SystemError>;
  write(offset: number, bytes: Uint8Array): Result<void, SystemError>;
  chmod(mode: number): Result<void, SystemError>;

  tryLockRange(type: LockType, start: number, length: number): TryLock;
  unlockRange(start: number, length: number): void;
  /** Waits up to `timeoutMs`. Blocks the thread: for waiting threads only, never for the loop. */
  waitLockRange(type: LockType, start: number, length: number, timeoutMs: number): TryLock;

  /** Initialises `count` robust, process-shared, error-checking mutexes at `offset` (glibc layout). */
  initMutexes(offset: number, count: number): void;
  /** "owner_died": granted and already made consistent. */
  tryLockMutex(offset: number): TryLock | "owner_died";
  /** As tryLockMutex, waiting up to `timeoutMs` (pthread_mutex_clocklock). Waiting threads only. */
  waitLockMutex(offset: number, timeoutMs: number): TryLock | "owner_died";
  unlockMutex(offset: number): void;
  /**
   * Index of the first of `count` mutexes from `offset` on that somebody holds, has died holding, or is
   * about to; `count` when there is none. Who locks one of the others afterwards sees everything that
   * was written before this call, as if each had been locked and unlocked.
   */
  firstHeldMutex(offset: number, count: number): number;
  /**
   * Thread id of whoever holds the mutex (of a process's first thread that is the pid); undefined when
   * nobody does.
   */
  mutexHolder(offset: number): number | undefined;
  /**
   * pid of a process that has part of the range locked; undefined when nobody does or only open file
   * descriptions do, of which the system does not tell who has them.
   */
  rangeHolder(start: number, length: number): number | undefined;
  /** sizeof(pthread_mutex_t) of this system's libc. */
  readonly mutexBytes: number;

  /** fdatasync on a worker thread. */
  syncData(done: (outcome: Result<void, SystemError>) => void): void;
  /** Also drops this description's byte-range locks. */
  close(): void;
}

export interface SharedFiles {
  /** `create`: O_CREAT; `exclusive`: O_EXCL too. Directories are not created. */
  open(
    path: string,
    options: { create: boolean; exclusive?: boolean; readOnly?: boolean; mode: number },
  ): Result<SharedFile, SystemError>;
  readonly pageSize: number;
}

// --- processes ---------------------------------------------------------------------------------

export interface SpawnOptions {
  readonly argv: readonly [string, ...string[]];
  /** The whole environment of the child; BUN_BE_BUN and BUN_OPTIONS are always dropped. */
  readonly env: Readonly<Record<string, string>>;
  /** Both pipes are always drained; lines over the limit are cut. */
  onOutputLine?(line: string, from: "stdout" | "stderr"): void;
  /** Raw standard output instead of lines (helpers that answer in single bytes). */
  onStdout?(chunk: Uint8Array): void;
  /** Closed standard output, for children that live as long as their pipe. */
  onStdoutEnd?(): void;
  onExit(exit: { readonly code: number | undefined; readonly signal: string | undefined }): void;
  /** Extra pipe given to the child as file descriptor 3; what the child writes there arrives here. */
  onStatusPipe?(chunk: Uint8Array): void;
  /** The child is a program of CTDB that reopens its log on SIGHUP; it is told when ours is reopened. */
  readonly reopensLog?: boolean;
  /** Keep a pipe open to the child's standard input, so that it notices our death. */
  readonly keepStdinOpen?: boolean;
}

export interface ChildProcess {
  readonly pid: number;
  /** To the child's whole process group. */
  kill(signal: "SIGTERM" | "SIGKILL" | "SIGINT" | "SIGHUP" | "SIGUSR1"): void;
}

export interface Processes {
  readonly ownPid: number;
  /** Each child leads its own process group. */
  spawn(options: SpawnOptions): Result<ChildProcess, SystemError>;
  /** kill(pid, 0) says that it exists. */
  isAlive(pid: number): boolean;
  /** Name of the program that a process or thread runs; undefined when there is none of that id. */
  nameOf(pid: number): string | undefined;
}
