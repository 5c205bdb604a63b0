/**
 * tdbtool FILE check: the one command of Samba's program that event scripts use, for systems without it. The verdict
 * is that program's. Unlike it this one fails, with status 1, for a file that is damaged or cannot be opened.
 *
 * Opening is that of any user of the file: a commit that was interrupted is finished or undone first.
 */
import { SystemSharedFiles } from "../../platform/libc/shared_file.ts";
import { EventLoop } from "../../platform/loop/event_loop.ts";
import { SystemClock } from "../../platform/node/clock.ts";
import { BUSY } from "../../tdb/errors.ts";
import { FileTdbOpener } from "../../tdb/opener.ts";
import { TDB_FLAGS, type Tdb, type TdbResult } from "../../tdb/types.ts";
import { printErr, printOut } from "../buffered_output.ts";
import type { Role } from "../role.ts";

const HELP = `Usage: tdbtool FILE check
Checks the integrity of a TDB file. Stands in for Samba's program of that name,
which has more commands.

tdbtool:
  check                : check the integrity of an opened database
`;
const SLICE_MS = 5;
const BUSY_DELAY_MS = 5;
/** How long somebody else may hold the file. */
const BUSY_MS_MAX = 30_000;

export const role: Role = { run };

async function run(args: readonly string[]): Promise<number> {
  const [path, command, more] = args;
  if (path === undefined || path === "--help" || path === "-h") {
    printOut(HELP);
    return 0;
  }
  if (command !== "check" || more !== undefined) {
    const given = args.slice(1).join(" ");
    printErr(`tdbtool: expected FILE check, got "${given}": this is not Samba's program\n`);
    return 1;
  }
  return await new Checker().check(path);
}

class Checker {
  readonly #timers = new EventLoop();
  readonly #clock = new SystemClock();
  readonly #opener: FileTdbOpener;

  constructor() {
    const files = new SystemSharedFiles();
    const around = { files, internalFiles: files, timers: this.#timers, clock: this.#clock };
    this.#opener = new FileTdbOpener({ ...around, mutexesWork: true });
  }

  async check(path: string): Promise<number> {
    const opened = await this.#open(path);
    if (!opened.ok) {
      printOut(`Could not open ${path}: ${opened.error.reason}\n`);
      return 1;
    }
    const tdb = opened.value;
    const counted = await this.#checked(tdb);
    tdb.close();
    if (counted.ok) {
      printOut(`Database integrity is OK and has ${counted.value} records.\n`);
      return 0;
    }
    printErr(`tdbtool: ${counted.error.reason}\n`);
    printOut("Integrity check for the opened database failed.\n");
    return 1;
  }

  async #open(path: string): Promise<TdbResult<Tdb>> {
    const options = { path, flags: 0, hashSize: 0, create: false };
    const plain = await this.#whenFree(() => this.#opener.open(options));
    if (plain.ok || plain.error.code !== "unsupported") return plain;
    const flags = TDB_FLAGS.MUTEX_LOCKING;
    return await this.#whenFree(() => this.#opener.open({ ...options, flags }));
  }

  /** How many records it has. */
  async #checked(tdb: Tdb): Promise<TdbResult<number>> {
    const locked = await this.#whenFree(() => lockAll(tdb));
    if (!locked.ok) return locked;
    const work = tdb.check();
    for (;;) {
      const result = work.step(SLICE_MS);
      if (result === undefined) {
        await this.#pause();
        continue;
      }
      if (!result.ok) return result;
      let count = 0;
      const visited = tdb.visitRecords(0, () => {
        count += 1;
        return true;
      });
      return visited.ok ? { ok: true, value: count } : visited;
    }
  }

  async #whenFree<T>(operation: () => TdbResult<T>): Promise<TdbResult<T>> {
    const endMs = this.#clock.monotonicMs() + BUSY_MS_MAX;
    for (;;) {
      const outcome = operation();
      if (outcome.ok || outcome.error.code !== "busy") return outcome;
      if (this.#clock.monotonicMs() > endMs) return outcome;
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.after(BUSY_DELAY_MS, resolve);
    });
  }
}

function lockAll(tdb: Tdb): TdbResult<void> {
  const taken = tdb.tryLockAll("read");
  if (taken === "granted") return { ok: true, value: undefined };
  return taken === "busy" ? BUSY : { ok: false, error: taken };
}
