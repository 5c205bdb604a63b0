/**
 * Writes of commits and replays: through the file rather than the mapping, so that a full or failing
 * disk is an error and not a signal, in pieces that fit a slice, with waits for the disk.
 *
 * Must not: know what the bytes mean.
 */
import type { SystemError } from "../../base/errors.ts";
import { ok, type Result } from "../../base/result.ts";
import type { SharedFile } from "../../platform/types/shared_files.ts";
import { systemFailure } from "../errors.ts";
import type { Slice } from "../sliced.ts";
import type { TdbResult } from "../types.ts";

const WRITE_BYTES_MAX = 256 * 1024;
const EXTEND_BYTES_MAX = 4 * 1024 * 1024;
const DONE = ok(undefined);

export type Pausing = Generator<"more" | "wait", TdbResult<void>>;

export class DurableFile {
  readonly #file: SharedFile;
  readonly #headerOffset: number;
  readonly #noSync: boolean;

  constructor(file: SharedFile, headerOffset: number, noSync: boolean) {
    this.#file = file;
    this.#headerOffset = headerOffset;
    this.#noSync = noSync;
  }

  /** Offsets count from the mapped header, as everywhere. */
  *write(slice: Slice, doing: string, offset: number, bytes: Uint8Array): Pausing {
    for (let at = 0; at < bytes.length; at += WRITE_BYTES_MAX) {
      const piece = bytes.subarray(at, Math.min(at + WRITE_BYTES_MAX, bytes.length));
      const written = this.#file.write(this.#headerOffset + offset + at, piece);
      if (!written.ok) return systemFailure(doing, written.error);
      if (slice.spent()) yield "more";
    }
    return DONE;
  }

  /** One word; too small for a slice of its own. */
  writeWord(doing: string, offset: number, value: number): TdbResult<void> {
    const bytes = new Uint8Array(new Uint32Array([value]).buffer);
    const written = this.#file.write(this.#headerOffset + offset, bytes);
    return written.ok ? DONE : systemFailure(doing, written.error);
  }

  *extend(slice: Slice, doing: string, newSize: number): Pausing {
    const end = this.#headerOffset + newSize;
    let size = this.#file.size();
    while (size < end) {
      size = Math.min(size + EXTEND_BYTES_MAX, end);
      const extended = this.#file.extend(size);
      if (!extended.ok) return systemFailure(doing, extended.error);
      if (slice.spent()) yield "more";
    }
    return DONE;
  }

  /** Until everything written so far is on disk; at once without syncing. */
  *sync(slice: Slice, doing: string): Pausing {
    if (this.#noSync) return DONE;
    let outcome: Result<void, SystemError> | undefined;
    this.#file.syncData((result) => {
      outcome = result;
      slice.wake();
    });
    while (outcome === undefined) yield "wait";
    const result = outcome as Result<void, SystemError>;
    return result.ok ? DONE : systemFailure(doing, result.error);
  }
}
