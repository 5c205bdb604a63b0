/**
 * A text file that is replaced in two steps, by calls that run on threads of the runtime: a directory on a file system
 * that hangs keeps nobody waiting but the one who wants to change the file.
 *
 * Invariants:
 * 1. A link is followed, and stays. The new file has mode and owner of the old one.
 * 2. Whoever reads the file finds the old content or the new one, also after a loss of power.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, realpath, rename, unlink } from "node:fs/promises";
import { bytesText, textBytes } from "../../base/byte_text.ts";
import { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import {
  type FileContent,
  PENDING_SUFFIX,
  type PendingFile,
  type PendingFileState,
} from "../types/pending_file.ts";
import { pathForCall } from "./path.ts";
import { systemErrorFrom } from "./thrown_error.ts";

const MODE_BITS = 0o7777;
const WHILE_WRITTEN_MODE = 0o600;

export class SystemPendingFile implements PendingFile {
  readonly path: string;
  readonly #bytesMax: number;

  constructor(path: string, bytesMax: number) {
    this.path = path;
    this.#bytesMax = bytesMax;
  }

  look(done: (outcome: Result<PendingFileState>) => void): void {
    void settled(this.#look()).then(done);
  }

  prepare(text: string, done: (outcome: Result<void>) => void): void {
    void settled(this.#prepare(textBytes(text))).then(done);
  }

  install(done: (outcome: Result<void>) => void): void {
    void settled(this.#install()).then(done);
  }

  drop(done: (outcome: Result<void>) => void): void {
    void settled(this.#drop()).then(done);
  }

  async #look(): Promise<PendingFileState> {
    const target = await this.#target();
    return { present: await this.#read(target), next: await this.#read(beside(target)) };
  }

  async #prepare(bytes: Uint8Array): Promise<void> {
    const target = await this.#target();
    const path = beside(target);
    const { O_WRONLY, O_CREAT, O_EXCL } = constants;
    const flags = O_WRONLY | O_CREAT | O_EXCL;
    await using old = await opened(target, constants.O_RDONLY);
    await using file = await opened(path, flags, WHILE_WRITTEN_MODE);
    try {
      await call("write", path, async () => {
        const { uid, gid, mode } = await old.handle.stat();
        // The owner first: changing it takes away bits of the mode.
        await file.handle.chown(uid, gid);
        await file.handle.chmod(mode & MODE_BITS);
        await file.handle.writeFile(bytes);
        await file.handle.sync();
      });
    } catch (error) {
      // Half of a file would be taken for a change that somebody else has begun.
      await unlink(pathForCall(path)).catch(() => undefined);
      throw error;
    }
    await syncDirectory(path);
  }

  async #install(): Promise<void> {
    const target = await this.#target();
    await call("rename", target, () => rename(pathForCall(beside(target)), pathForCall(target)));
    await syncDirectory(target);
  }

  async #drop(): Promise<void> {
    const path = beside(await this.#target());
    await call("unlink", path, () => unlink(pathForCall(path)));
    await syncDirectory(path);
  }

  #target(): Promise<string> {
    return call("realpath", this.path, async () =>
      bytesText(await realpath(pathForCall(this.path), { encoding: "buffer" })),
    );
  }

  /** undefined when there is none. */
  async #read(path: string): Promise<FileContent | undefined> {
    // Without waiting for the other end, should it be a pipe.
    const { O_RDONLY, O_NONBLOCK } = constants;
    try {
      await using file = await opened(path, O_RDONLY | O_NONBLOCK);
      return await call("read", path, async () => {
        const { size } = await file.handle.stat();
        if (size > this.#bytesMax) throw new SystemError("EFBIG", "read", path);
        const bytes = new Uint8Array(await file.handle.readFile());
        if (bytes.length > this.#bytesMax) throw new SystemError("EFBIG", "read", path);
        return {
          text: bytesText(bytes),
          digest: createHash("sha256").update(bytes).digest("hex"),
        };
      });
    } catch (error) {
      if (error instanceof SystemError && error.code === "ENOENT") return undefined;
      throw error;
    }
  }
}

function beside(path: string): string {
  return `${path}${PENDING_SUFFIX}`;
}

async function opened(
  path: string,
  flags: number,
  mode?: number,
): Promise<AsyncDisposable & { readonly handle: FileHandle }> {
  const handle = await call("open", path, () => open(pathForCall(path), flags, mode));
  return { handle, [Symbol.asyncDispose]: () => handle.close() };
}

async function syncDirectory(path: string): Promise<void> {
  const directory = path.slice(0, path.lastIndexOf("/")) || "/";
  const { O_RDONLY, O_DIRECTORY } = constants;
  await using folder = await opened(directory, O_RDONLY | O_DIRECTORY);
  await call("fsync", directory, () => folder.handle.sync());
}

async function call<T>(name: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof SystemError ? error : systemErrorFrom(error, name, path);
  }
}

async function settled<T>(work: Promise<T>): Promise<Result<T>> {
  try {
    return ok(await work);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
