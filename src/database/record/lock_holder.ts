/** Words for the log: who keeps us from a lock of a database, as far as the system tells. */
import type { Tdb } from "../../tdb/types.ts";
import type { DatabaseHost } from "../host.ts";

/** For the end of a message: `, held by process 4711 (smbd)`, or nothing. */
export function heldBy(host: DatabaseHost, tdb: Tdb, chain: number | undefined): string {
  return heldByProcess(host, tdb.chainHolder(chain));
}

export function heldByProcess(host: DatabaseHost, pid: number | undefined): string {
  if (pid === undefined) return "";
  return `, held by process ${pid} (${host.processName(pid) ?? "gone"})`;
}
