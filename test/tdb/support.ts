/** What the TDB tests share: real files, C's tools, running work to its end. */
import { spawnSync } from "node:child_process";
import { SystemSharedFiles } from "../../src/platform/libc/shared_file.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { SystemClock } from "../../src/platform/node/clock.ts";
import type { SharedFiles } from "../../src/platform/types/shared_files.ts";
import { FileTdbOpener } from "../../src/tdb/opener.ts";
import type { SlicedWork, Tdb, TdbOpener, TdbOpenOptions, TdbResult } from "../../src/tdb/types.ts";
import { must } from "../support/must.ts";

export const PEER = new URL("./peer.py", import.meta.url).pathname;
export const PYTHON = "/usr/bin/python3";

/** python3-tdb's libtdb and tdb-tools; where they are missing, tests with them are skipped. */
export const hasLibtdb =
  spawnSync(PYTHON, ["-c", "import tdb, ctypes; ctypes.CDLL('libtdb.so.1')"]).status === 0 &&
  Bun.which("tdbtool") !== null;

if (!hasLibtdb) console.log("skipped: tests with libtdb (python3-tdb and tdb-tools are not here)");

export function fileOpener(files: SharedFiles = new SystemSharedFiles()): FileTdbOpener {
  return new FileTdbOpener({
    files,
    timers: new EventLoop(),
    clock: new SystemClock(),
    mutexesWork: true,
  });
}

export function laterTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs work to its end, a slice a turn. */
export async function finish<T>(work: SlicedWork<T>): Promise<TdbResult<T>> {
  for (;;) {
    const outcome = work.step(5);
    if (outcome !== undefined) return outcome;
    await laterTurn();
  }
}

/** Opens, again while it is busy. */
export async function openTdb(opener: TdbOpener, options: TdbOpenOptions): Promise<Tdb> {
  for (;;) {
    const opened = opener.open(options);
    if (opened.ok) return opened.value;
    if (opened.error.code !== "busy") throw new Error(opened.error.reason);
    await laterTurn();
  }
}

/** Repeats what answers "busy". */
export async function eventually<T>(action: () => TdbResult<T>): Promise<T> {
  for (;;) {
    const outcome = action();
    if (outcome.ok) return outcome.value;
    if (outcome.error.code !== "busy") throw new Error(outcome.error.reason);
    await laterTurn();
  }
}

/** What `tdbtool FILE check` says: undefined when the file is sound. */
export function tdbtoolCheck(path: string): string | undefined {
  const run = spawnSync("tdbtool", [path, "check"], { encoding: "utf8" });
  const output = `${run.stdout}${run.stderr}`;
  return output.includes("Database integrity is OK") ? undefined : output;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

/** All live records, as sorted "key=value" lines in hex. */
export function dump(tdb: Tdb): string[] {
  const lines: string[] = [];
  for (let chain = 0; chain < tdb.hashSize; chain++) {
    must(
      tdb.visitChain(chain, (key, data) => {
        lines.push(`${Buffer.from(key).toString("hex")}=${Buffer.from(data).toString("hex")}`);
        return true;
      }),
    );
  }
  return lines.sort();
}
