/** Processes, as interfaces (rules for all of them: docs/platform.md, "Interfaces"). */
import type { SystemError } from "../../base/errors.ts";
import type { Result } from "../../base/result.ts";

export interface SpawnOptions {
  readonly argv: readonly [string, ...string[]];
  /** The whole environment of the child; BUN_BE_BUN and BUN_OPTIONS are always dropped. */
  readonly env: Readonly<Record<string, string>>;
  /** Both pipes are always drained; lines over the limit are cut. */
  onOutputLine?(line: string, from: "stdout" | "stderr"): void;
  /**
   * Instead of all of these: standard output and standard error as one pipe, raw and in the order in which they were
   * written. When the child has ended, what is in the pipe still comes, and the pipe is closed: what a grandchild
   * writes later goes nowhere, and nobody waits for it.
   */
  onOutput?(chunk: Uint8Array): void;
  /** When the child has ended after `kill`, what is left of its process group is killed. */
  readonly endsGroup?: boolean;
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
  /** Writes to its standard input, if that was kept open; never waits: what does not fit, or nobody reads, is lost. */
  tell(bytes: Uint8Array): void;
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
