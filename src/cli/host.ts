/**
 * What the tool needs from the process it runs in; the role gives the real one, tests their own.
 * What only some commands need comes on demand, so that the others start faster.
 */
import type { SystemError } from "../base/errors.ts";
import type { Result } from "../base/result.ts";
import type { Network } from "../platform/types/network.ts";
import type { RawNetwork } from "../platform/types/raw_network.ts";
import type { Clock, Random, Timers } from "../platform/types/time.ts";
import type { TdbOpener } from "../tdb/types.ts";
import type { Machine } from "./doctor/machine.ts";

/** An open file that a command reads or writes in pieces. Errors are error numbers. */
export interface ToolFile {
  /** Less than `length` at the end of the file. */
  read(offset: number, length: number): Result<Uint8Array, number>;
  write(offset: number, bytes: Uint8Array): Result<void, number>;
  /** Until it is on the disk. */
  sync(): Result<void, number>;
  close(): void;
}

/** Folders and whole files, for commands that keep sets of files. Errors are error numbers. */
export interface ToolFolders {
  /** With those above it, mode 0700; one that is there stays. */
  make(path: string): Result<void, number>;
  /** Names, sorted. */
  list(path: string): Result<readonly string[], number>;
  rename(from: string, to: string): Result<void, number>;
  /** A file, or a folder with the files in it. */
  remove(path: string): Result<void, number>;
  /** Until its names are on the disk. */
  sync(path: string): Result<void, number>;
  sizeOf(path: string): Result<number, number>;
  /** SHA-256 of a file's content, in hex. */
  digest(path: string): Result<string, number>;
}

/** What standard input and output are. */
export interface ToolTerminal {
  /** Both are terminals: somebody can be asked. */
  readonly answers: boolean;
  /** Standard output is one: it can be drawn upon. */
  readonly draws: boolean;
  size(): { readonly columns: number; readonly rows: number };
  /** The next line of standard input, without its end; what is there at the end of the input. */
  readLine(): Promise<string>;
  /** Another screen, without a cursor, and keys as they are pressed. The first one is back after `close`, and at any end. */
  openScreen(watch: ScreenWatch): { close(): void };
}

export interface ScreenWatch {
  key(text: string): void;
  resized(): void;
}

/** How a program ended that had our standard input, and our output unless somebody else takes it. */
export type HelperEnd =
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "signal"; readonly signal: number }
  | { readonly kind: "not started"; readonly errno: number };

/** Gets what a program prints, where that is not to go where our own output goes. */
export interface HelperOutput {
  out(bytes: Uint8Array): void;
  err(bytes: Uint8Array): void;
}

export interface ToolHost {
  /** What `ctdb version` says. */
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where our executable lies, which says where the node's files are. */
  readonly executableDirectory: string;
  readonly pid: number;
  readonly clock: Pick<Clock, "monotonicMs" | "wallTime">;
  readonly timers: Timers;
  readonly network: Pick<Network, "connectUnix">;
  tdbs(): Promise<TdbOpener>;
  /** Standard output of a command, however it ended; the errno's name when it could not be started. Errors are shown. */
  run(argv: readonly string[], errors?: "shown" | "dropped"): Promise<Result<string, string>>;
  /** Runs a program of the directory of helpers in our place; it does not outlive us. */
  runHelper(name: string, args: readonly string[], output?: HelperOutput): Promise<HelperEnd>;
  /** Segments of connections of others, or why they cannot be sent. */
  rawNetwork(): Promise<Result<RawNetwork>>;
  /** Binds to the IPv4 port for a moment, without listening; the errno when somebody has it. */
  tryTcpPort(port: number): Promise<Result<void, number>>;
  readonly random: Random;
  /** For `ctdb doctor`. */
  machine(): Promise<Machine>;
  readText(path: string): Promise<Result<string, SystemError>>;
  /** Standard input up to its end, or why it cannot be read. */
  readInput(): Promise<Result<Uint8Array>>;
  /** Creates or replaces the file, mode 0600. */
  writeFile(path: string, bytes: Uint8Array): Promise<Result<void>>;
  /**
   * Changes a text file as a whole: `change` gets its content, nothing of one that is not there, and gives the new one;
   * the same, or a reason, leave it. Links are followed, mode and owner stay; a new one has mode 0644.
   */
  changeFile(
    path: string,
    change: (text: string) => Result<string>,
  ): Promise<Result<"changed" | "unchanged">>;
  /** For writing it is created, mode 0600, or emptied. */
  openFile(path: string, use: "read" | "write"): Promise<Result<ToolFile, number>>;
  folders(): Promise<ToolFolders>;
  terminal(): Promise<ToolTerminal>;
  /** Can this machine's address be bound to? */
  hasAddress(address: string): Promise<boolean>;
  /** Standard output and error, in the order of the calls; text as it is. */
  out(text: string | Uint8Array): void;
  err(text: string): void;
  /** Standard output of documents, where `out` only keeps what a command says besides (json.ts). */
  facts?(document: string): void;
  /** The document of a command that only acts, and has acted on the node; null: on none. */
  acted?(node: number | null): void;
}
