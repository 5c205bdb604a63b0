/** The processes below another one, and what /proc tells of them. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessEntry {
  /** Its name in /proc: stock nodes run the recovery daemon from ctdbd's executable. */
  readonly role: string;
  readonly pid: number;
}

/** The process and its descendants, parents first. */
export function processTree(root: number): readonly ProcessEntry[] {
  const stats = readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => parseStat(readOf(Number(name), "stat")))
    .filter((stat) => stat !== undefined);
  const first = stats.find(({ pid }) => pid === root);
  if (first === undefined) throw new Error(`process ${root} does not run`);
  const found = [first];
  for (const parent of found) found.push(...stats.filter((stat) => stat.parent === parent.pid));
  return found.map(({ role, pid }) => ({ role, pid }));
}

/** Text of /proc/PID/stat; undefined for a process that has gone meanwhile. */
export function parseStat(text: string): (ProcessEntry & { readonly parent: number }) | undefined {
  // The name may hold anything, also blanks and parentheses.
  const match = /^([0-9]+) \((.*)\) . ([0-9]+) /s.exec(text);
  if (match === null) return undefined;
  return { pid: Number(match[1]), role: match[2] ?? "", parent: Number(match[3]) };
}

/** Empty for a process that has gone. */
export function readOf(pid: number, file: "stat" | "status" | "smaps"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
