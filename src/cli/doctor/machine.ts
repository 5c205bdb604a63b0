/**
 * What `ctdb doctor` looks at on its machine. Nothing here changes anything, and nothing waits but `reach`, which has a
 * bound.
 */
import type { FileSystem } from "../../platform/types/files.ts";
import type { NetworkInterface } from "../../platform/types/network.ts";
import type { TlsEngine } from "../../platform/types/tls.ts";

export interface FileFacts {
  readonly kind: "file" | "directory" | "socket" | "other";
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly size: number;
  /** Device and inode: the same for two names of one file. */
  readonly identity: string;
}

export interface FileSystemFacts {
  /** "tmpfs", "ext4" …; undefined for one that this machine's kernel knows by a number that we do not. */
  readonly type: string | undefined;
  /** Of one machine only, as far as the type tells. */
  readonly isLocal: boolean;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** 0 where inodes are not counted. */
  readonly totalInodes: number;
  readonly freeInodes: number;
}

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** At most 15 bytes of the program's name. */
  readonly name: string;
  /** One letter, as ps shows it. */
  readonly state: string;
  /** It is scheduled before all that is not. */
  readonly isRealtime: boolean;
}

/** How a TCP connection that was tried went. */
export type Reach = "open" | "refused" | "timeout" | "unreachable";

export interface Machine {
  /** Of this process. */
  readonly uid: number;
  readonly files: FileSystem;
  /** The executable of this process. */
  readonly executable: { readonly path: string };
  /** Follows links; undefined when there is nothing. */
  stat(path: string): FileFacts | undefined;
  isLink(path: string): boolean;
  fileSystem(path: string): FileSystemFacts | undefined;
  /** The first or last bytes of a file as text; undefined when it cannot be read. */
  head(path: string, bytes: number): string | undefined;
  tail(path: string, bytes: number): string | undefined;
  /** Of a text in PEM. */
  readonly certificates: TlsEngine["certificates"];
  interfaces(): readonly NetworkInterface[];
  hasInterface(name: string): boolean;
  processes(): readonly ProcessFacts[];
  /** What a process runs; `replaced`: that file is no longer there. undefined when it cannot be found out. */
  executableOf(
    pid: number,
  ): { readonly path: string; readonly replaced: boolean; readonly file: FileFacts } | undefined;
  /** How many files a process may have open; undefined when it cannot be found out. */
  openFilesMax(pid: number): number | undefined;
  reach(address: string, port: number, timeoutMs: number): Promise<Reach>;
}
