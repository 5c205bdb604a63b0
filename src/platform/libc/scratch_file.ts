/**
 * Scratch memory in a file that has no name any more: its pages are the system's to write away and to keep, and go
 * with the process.
 *
 * Invariants:
 * 1. Every piece has its space in the file before it is mapped: a full disk is an answer, not a signal at some access.
 * 2. A piece is mapped until the process ends.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { memoryAt } from "#foreign";
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { pathForCall } from "../node/path.ts";
import type { ScratchMemory } from "../types/scratch.ts";
import { MEMORY_FUNCTIONS, SHARED_FILE_FUNCTIONS } from "./functions.ts";
import { openLibc, systemErrorFrom } from "./libc.ts";

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MADV_DONTNEED = 4;
const PAGE_BYTES = 4096;

export class ScratchFile implements ScratchMemory {
  readonly #libc = openLibc({ ...SHARED_FILE_FUNCTIONS, ...MEMORY_FUNCTIONS });
  readonly #descriptor: number;
  readonly #pieces: { readonly address: number; readonly bytes: number }[] = [];
  #end = 0;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  static open(directory: string): Result<ScratchFile, SystemError> {
    const path = join(directory, `recovery.${process.pid}.scratch`);
    const { O_CREAT, O_EXCL, O_RDWR } = fs.constants;
    try {
      const descriptor = fs.openSync(pathForCall(path), O_RDWR | O_CREAT | O_EXCL, 0o600);
      fs.unlinkSync(pathForCall(path));
      return ok(new ScratchFile(descriptor));
    } catch (error) {
      return err(systemErrorFrom(error, "open", path));
    }
  }

  take(bytes: number): Uint8Array | undefined {
    const length = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
    if (this.#libc.posix_fallocate(this.#descriptor, this.#end, length) !== 0) return undefined;
    const address = this.#libc.mmap(
      0,
      length,
      PROT_READ_WRITE,
      MAP_SHARED,
      this.#descriptor,
      this.#end,
    );
    if (address === -1) return undefined;
    this.#end += length;
    this.#pieces.push({ address, bytes: length });
    return new Uint8Array(memoryAt(address, length), 0, bytes);
  }

  letGo(): void {
    for (const { address, bytes } of this.#pieces) {
      this.#libc.madvise(address, bytes, MADV_DONTNEED);
    }
  }
}
