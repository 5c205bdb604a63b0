/**
 * What one tool asks and the other does not, and why: the list of what is left out when the requests of both are
 * compared. Everything else has to be the same, in the same order.
 */
import type { SentRequest } from "./recording_proxy.ts";

export interface JustifiedDifference {
  /** Whose requests are left out. */
  readonly by: "stock" | "ours" | "both";
  /** Names of requests. */
  readonly names: readonly string[];
  /** Of the srvid; any when left out. */
  readonly srvid?: string;
  /** Commands that it applies to; all when left out. */
  readonly commands?: readonly string[];
  /** Only what was asked in the same way before. */
  readonly repeated?: true;
  readonly why: string;
}

const TRANSACTIONS = ["pfetch", "pstore", "pdelete", "ptrans"] as const;
const SRVIDS = ["REGISTER_SRVID", "DEREGISTER_SRVID"] as const;

export const JUSTIFIED: readonly JustifiedDifference[] = [
  {
    by: "both",
    names: ["REGISTER_SRVID"],
    srvid: "LEADER",
    why: "stock listens for the leader in every command; ours in those that need it, when they do",
  },
  {
    by: "ours",
    names: SRVIDS,
    srvid: "RECONFIGURE",
    commands: TRANSACTIONS,
    why: "locks that a recovery brings back are told from held ones (client/holder_ids.ts)",
  },
  {
    by: "ours",
    names: SRVIDS,
    srvid: "of a client",
    commands: TRANSACTIONS,
    why: "the id that a lock is held under, so that it is free when the connection is gone",
  },
  {
    by: "both",
    names: ["LIST_TUNABLES"],
    commands: ["listvars"],
    repeated: true,
    why: "stock asks for the list again before each variable",
  },
  {
    by: "both",
    names: ["GET_DBNAME"],
    commands: ["detach"],
    repeated: true,
    why: "looks for the name in the order of attaching, which is another after each detach",
  },
  {
    by: "ours",
    names: ["PING"],
    commands: ["status", "nodestatus", "leader"],
    why: "asks the own node what it last heard, when a peer or the leader is silent; stock waits for them",
  },
  {
    by: "both",
    names: ["CALL"],
    why: "brings a record here that is elsewhere: whoever comes second finds it",
  },
  {
    by: "both",
    names: ["GET_NODEMAP"],
    commands: ["disable", "enable", "stop", "continue", "ban", "unban"],
    repeated: true,
    why: "looks whether it is done: how often depends on how long it takes, ours looks more often",
  },
  {
    by: "both",
    names: ["GET_RECMODE", "GETVNNMAP"],
    commands: ["recover"],
    repeated: true,
    why: "looks whether it is done: how often depends on how long it takes, ours looks more often",
  },
  {
    by: "both",
    names: ["GET_PUBLIC_IP_INFO"],
    commands: ["ip"],
    why: "stock asks for the interfaces of each address also when it does not show them",
  },
  {
    by: "stock",
    names: ["MESSAGE"],
    srvid: "DISABLE_IP_CHECK",
    commands: ["moveip"],
    why: "how Samba 4.17 keeps the leader still; 4.25 and ours turn takeover runs off",
  },
  {
    by: "ours",
    names: ["MESSAGE"],
    srvid: "DISABLE_TAKEOVER_RUNS",
    commands: ["moveip"],
    why: "as Samba 4.25, see above",
  },
  {
    by: "ours",
    names: SRVIDS,
    srvid: "of a tool",
    commands: ["moveip"],
    why: "the answers to that",
  },
  {
    by: "ours",
    names: ["IPREALLOCATED"],
    commands: ["moveip"],
    why: "as Samba 4.25: scripts hear of the move",
  },
];

/** The requests that have to be those of the other tool; `used` gets the rows that left something out. */
export function comparable(
  requests: readonly SentRequest[],
  by: "stock" | "ours",
  command: string,
  used: Set<JustifiedDifference>,
): readonly SentRequest[] {
  const rows = JUSTIFIED.filter(
    (row) => (row.by === by || row.by === "both") && (row.commands?.includes(command) ?? true),
  );
  return requests.filter((request, at) => {
    const row = rows.find((each) => leavesOut(each, request, requests.slice(0, at)));
    if (row !== undefined) used.add(row);
    return row === undefined;
  });
}

function leavesOut(
  row: JustifiedDifference,
  request: SentRequest,
  before: readonly SentRequest[],
): boolean {
  if (!row.names.includes(request.name)) return false;
  if (row.srvid !== undefined && row.srvid !== request.srvid) return false;
  if (row.repeated !== true) return true;
  return before.some(({ name, to }) => name === request.name && to === request.to);
}
