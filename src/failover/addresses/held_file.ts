/**
 * The file in which ctdbd writes down which addresses it has taken, so that a child that outlives it can take them down
 * (orphans.ts). An address stands there from before its takeip event until after its releaseip event.
 *
 * Invariant: the file is replaced as a whole; its first line names the ctdbd that wrote it.
 */
import type { Logger } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { FileSystem } from "../../platform/types/files.ts";
import { parseAddress } from "../../wire/structs/socket_address.ts";

const HELD_FILE = "public_addresses_held";
const HELD_FILE_MODE = 0o600;

export interface HeldAddresses {
  /** The ctdbd that wrote it. */
  readonly pid: number;
  readonly addresses: readonly string[];
}

export function heldFilePath(runDirectory: string): string {
  return `${runDirectory}/${HELD_FILE}`;
}

export class HeldFile {
  readonly #files: FileSystem;
  readonly #path: string;
  readonly #pid: number;
  readonly #log: Logger;
  #written: string | undefined;
  #failed = false;

  constructor(files: FileSystem, path: string, pid: number, log: Logger) {
    this.#files = files;
    this.#path = path;
    this.#pid = pid;
    this.#log = log;
  }

  write(addresses: readonly string[]): void {
    const text = [`ctdbd ${this.#pid}`, ...addresses].map((line) => `${line}\n`).join("");
    if (text === this.#written) return;
    const temporary = `${this.#path}.new`;
    const written = this.#files.writeText(temporary, text, HELD_FILE_MODE);
    const outcome = written.ok ? this.#files.rename(temporary, this.#path) : written;
    if (outcome.ok) this.#written = text;
    else if (!this.#failed) {
      this.#log.error(
        `Cannot write "${this.#path}", public addresses stay when ctdbd is killed: ${outcome.error.message}`,
      );
    }
    this.#failed = !outcome.ok;
  }
}

export function readHeldFile(files: FileSystem, path: string): Result<HeldAddresses> {
  const text = files.readText(path);
  if (!text.ok) return err(text.error.message);
  const [head = "", ...lines] = text.value.split("\n").filter((line) => line !== "");
  const pid = /^ctdbd ([1-9][0-9]*)$/.exec(head)?.[1];
  if (pid === undefined) return err(`line 1: expected "ctdbd PID", got "${head}"`);
  const wrong = lines.find((line) => !parseAddress(line).ok);
  if (wrong !== undefined) return err(`expected addresses, got "${wrong}"`);
  return ok({ pid: Number(pid), addresses: lines });
}
