/** What an installation does with files. Paths are absolute below the root; every error names its path. */
import type { Result } from "../base/result.ts";

export type Found =
  | { readonly kind: "file"; readonly inode: string; readonly mode: number }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory" }
  | { readonly kind: "other" };

export interface InstallFiles {
  /** undefined: there is nothing. Links are not followed. */
  look(path: string): Result<Found | undefined>;
  /** Hexadecimal, of a file's content; `digestOf` is its sha256. */
  digest(path: string, algorithm: "sha256" | "md5"): Result<string>;
  digestOf(content: Uint8Array): string;
  readText(path: string): Result<string>;
  /** With those above it. */
  makeDirectory(path: string, mode: number): Result<void>;
  /** A new file with this content, on disk when it returns. */
  write(path: string, content: Uint8Array, mode: number): Result<void>;
  /** The executable that runs, as a new file; and its sha256. */
  copyExecutable(path: string): Result<void>;
  executableDigest(): Result<string>;
  /** A file or a link, with mode and owner. */
  copy(from: string, to: string): Result<void>;
  hardLink(target: string, path: string): Result<void>;
  symbolicLink(target: string, path: string): Result<void>;
  /** Over what is there. */
  rename(from: string, to: string): Result<void>;
  remove(path: string): Result<void>;
  /** Nothing happens when it is not empty. */
  removeEmptyDirectory(path: string): void;
}
