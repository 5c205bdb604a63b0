/** What the tools that answer questions about the configuration work with. */
import type { FileSystem } from "../platform/types/files.ts";
import type { CtdbPaths } from "./types.ts";

export interface ConfigToolHost {
  readonly paths: CtdbPaths;
  readonly files: FileSystem;
  out(text: string): void;
  err(text: string): void;
}

/** As the original: no such command. */
export const UNKNOWN_COMMAND_STATUS = 1;
