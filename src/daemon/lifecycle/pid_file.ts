/**
 * The pid file: says who runs, and holds a lock for as long as the process lives, so that a second
 * daemon refuses to start and a file of a dead one does not count.
 */
import { textBytes } from "../../base/byte_text.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { FileSystem } from "../../platform/types/files.ts";
import type { SharedFile, SharedFiles } from "../../platform/types/shared_files.ts";

export interface PidFile {
  /** The reason when another daemon holds it, or it cannot be written. */
  acquire(): Result<void>;
  release(): void;
  /** The process that wrote it last; undefined when nobody has. */
  writer(): number | undefined;
}

const PID_FILE_MODE = 0o644;

export class LockedPidFile implements PidFile {
  readonly #path: string;
  readonly #pid: number;
  readonly #shared: SharedFiles;
  readonly #files: FileSystem;
  #held: SharedFile | undefined;
  /** The last `acquire` found it locked by somebody else. */
  heldElsewhere = false;

  constructor(path: string, pid: number, shared: SharedFiles, files: FileSystem) {
    this.#path = path;
    this.#pid = pid;
    this.#shared = shared;
    this.#files = files;
  }

  acquire(): Result<void> {
    const opened = this.#shared.open(this.#path, { create: true, mode: PID_FILE_MODE });
    if (!opened.ok) return err(`Cannot create pid file "${this.#path}": ${opened.error.message}`);
    const file = opened.value;
    const taken = file.tryLockRange("write", 0, 0);
    // Who had it has removed it meanwhile: the lock is one on nothing.
    const locked = taken === "granted" && !this.#files.exists(this.#path) ? "busy" : taken;
    this.heldElsewhere = locked === "busy";
    if (locked !== "granted") {
      file.close();
      if (locked !== "busy") return err(`Cannot lock pid file: ${locked.message}`);
      const pid = this.writer() ?? "unknown";
      return err(`Cannot start: pid file "${this.#path}" is held by a running daemon, pid ${pid}`);
    }
    const emptied = file.truncate(0);
    const written = emptied.ok ? file.write(0, textBytes(`${this.#pid}\n`)) : emptied;
    if (!written.ok) {
      file.close();
      return err(`Cannot write pid file: ${written.error.message}`);
    }
    this.#held = file;
    return ok(undefined);
  }

  writer(): number | undefined {
    const text = this.#files.readText(this.#path);
    const pid = text.ok ? Number(text.value.trim()) : 0;
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  }

  release(): void {
    if (this.#held === undefined) return;
    this.#files.remove(this.#path);
    this.#held.close();
    this.#held = undefined;
  }
}

/**
 * Locks the pid file that a dead daemon has left, so that no other one starts; what it says stays as it is. undefined:
 * there is none, or another daemon has it.
 */
export function lockLeftPidFile(
  path: string,
  shared: SharedFiles,
): { release(): void } | undefined {
  const opened = shared.open(path, { create: false, mode: PID_FILE_MODE });
  if (!opened.ok) return undefined;
  const file = opened.value;
  if (file.tryLockRange("write", 0, 0) === "granted") return { release: () => file.close() };
  file.close();
  return undefined;
}
