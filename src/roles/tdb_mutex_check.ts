/**
 * tdb_mutex_check FILE [KEY …]: which chains of a TDB with mutexes are locked, and by which thread; keys
 * are hexadecimal. A mutex whose owner died is repaired.
 *
 * Texts and status are those of Samba's program, with one difference: that opens the file as its first
 * user, which empties it when nobody else has it open. This one changes nothing but dead mutexes.
 */
import { jenkinsHash } from "../base/jenkins_hash.ts";
import { SystemSharedFiles } from "../platform/libc/shared_file.ts";
import type { SharedFile } from "../platform/types/shared_files.ts";
import type { MutexLayout } from "../tdb/format/format.ts";
import { lockTargetOf } from "../tdb/locks/lock_target.ts";
import { printErr, printOut } from "./buffered_output.ts";
import type { Role } from "./role.ts";

const NAME = "tdb_mutex_check";
const USAGE = `Usage ${NAME} <tdb file> [<key1> <key2>]\n`;
/** The owner's place in a mutex, in words. */
const OWNER_WORD = 2;

export const role: Role = {
  async run(args) {
    const [path, ...keys] = args;
    if (path === undefined || path === "--help") {
      printOut(USAGE);
      return path === undefined ? 1 : 0;
    }
    return check(path, keys);
  },
};

function check(path: string, keys: readonly string[]): number {
  const files = new SystemSharedFiles();
  const opened = files.open(path, { create: false, mode: 0 });
  const target = opened.ok ? lockTargetOf(opened.value, files.pageSize) : opened.error.message;
  if (!opened.ok || typeof target === "string") {
    printOut(`Error opening ${path}\n`);
    printErr(`${NAME}: ${target}\n`);
    return 1;
  }
  const { hashSize, mutexes } = target;
  if (mutexes === undefined) {
    printOut("Mutexes are not mmapped\n");
    return 1;
  }
  const file = opened.value;
  const lines =
    keys.length === 0
      ? checkAll(file, mutexes, hashSize)
      : keys.flatMap((key) => checkKey(file, mutexes, hashSize, key));
  printOut(lines.join(""));
  file.close();
  return 0;
}

function checkAll(file: SharedFile, mutexes: MutexLayout, hashSize: number): readonly string[] {
  const lines: string[] = [];
  for (let chain = 0; ; chain++) {
    chain += file.firstHeldMutex(offsetOf(mutexes, chain), hashSize - chain);
    if (chain >= hashSize) return lines;
    lines.push(...checkChain(file, mutexes, chain));
  }
}

function checkKey(
  file: SharedFile,
  mutexes: MutexLayout,
  hashSize: number,
  key: string,
): readonly string[] {
  const pairs = key.match(/../g) ?? [];
  if (pairs.length === 0) return [];
  const bytes = Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16) || 0);
  return checkChain(file, mutexes, jenkinsHash(bytes) % hashSize);
}

function offsetOf(mutexes: MutexLayout, chain: number): number {
  return mutexes.firstListMutex + (chain + 1) * mutexes.mutexBytes;
}

/** A line, or none for a mutex that is free. */
function checkChain(file: SharedFile, mutexes: MutexLayout, chain: number): readonly string[] {
  const offset = offsetOf(mutexes, chain);
  const label = `[${String(chain).padStart(6)}]`;
  const taken = file.tryLockMutex(offset);
  if (taken === "busy") {
    const words = new Int32Array(file.view(offset + mutexes.mutexBytes), offset);
    return [`${label} pid=${Atomics.load(words, OWNER_WORD)}\n`];
  }
  if (taken !== "granted" && taken !== "owner_died") {
    return [`${label} trylock failed (${taken.message})\n`];
  }
  file.unlockMutex(offset);
  return taken === "owner_died" ? [`${label} cleaned\n`] : [];
}
