/** The processes of a host, by what they are, as the machine outside sees them: they can be signalled from here. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { bytesText } from "../../../src/base/byte_text.ts";
import type { Host } from "../host.ts";

/** Names of programs, the last part of argv[0]. */
export const ROLES = {
  ctdbd: "ctdbd",
  recoverd: "ctdb-recoverd",
  eventd: "ctdb-eventd",
  recoveryHelper: "ctdb_recovery_helper",
  takeoverHelper: "ctdb_takeover_helper",
  mutexHelper: "ctdb_mutex_fcntl_helper",
} as const;
export type Role = keyof typeof ROLES;

/** What watches a host's addresses runs there, and is no part of what is tested. */
const WATCHER = "ip";

/** Pids (outside) of a host's processes of that role; "all": all but the first one of the host and its watcher. */
export function processesOf(host: Host, role: Role | "all"): readonly number[] {
  const { pid: first } = host.namespaces;
  const own = readlinkSync(`/proc/${first}/ns/pid`);
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 1 && pid !== first && isInside(pid, own))
    .filter((pid) => {
      const program = programOf(pid);
      return role === "all" ? program !== WATCHER : program === ROLES[role];
    });
}

function isInside(pid: number, namespace: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) === namespace;
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

function programOf(pid: number): string {
  try {
    const [program = ""] = bytesText(readFileSync(`/proc/${pid}/cmdline`)).split("\0");
    return program.slice(program.lastIndexOf("/") + 1);
  } catch {
    return "";
  }
}

/** How many there were to be signalled. */
export function signalAll(
  pids: readonly number[],
  signal: "SIGKILL" | "SIGSTOP" | "SIGCONT",
): number {
  let count = 0;
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
      count += 1;
    } catch {
      // It has ended meanwhile.
    }
  }
  return count;
}
