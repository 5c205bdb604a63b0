/**
 * Every way in which flags of nodes change, and who may cause it. The node table asks here before it changes a flag, and
 * docs/daemon.md has the table ("Flags of nodes").
 *
 * Invariants:
 * 1. A node's own flags change for its own reasons and by commands to itself. What others say of it changes nothing.
 * 2. DISCONNECTED of another node is what this node has seen itself, DELETED what its nodes file says: nobody else sets
 *    or clears them.
 * 3. Other flags of another node are told by that node or by the leader, who asked it.
 */
import { FLAGS_BY_WORD } from "../wire/flag_words.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";

export type FlagCause =
  | "start"
  | "command"
  | "ban"
  | "ban ended"
  | "monitor"
  | "link lost"
  | "link up"
  | "nodes file"
  | "told";

type FlagWord = "DISCONNECTED" | "DISABLED" | "BANNED" | "UNHEALTHY" | "DELETED" | "STOPPED";

export interface FlagTransition {
  readonly cause: FlagCause;
  /** Whose flags, as seen from the node whose table it is. */
  readonly of: "itself" | "others";
  readonly sets: readonly FlagWord[];
  readonly clears: readonly FlagWord[];
  /** Who may cause it, and by what. */
  readonly by: string;
}

const TOLD: readonly FlagWord[] = ["DISABLED", "BANNED", "UNHEALTHY", "STOPPED"];

export const FLAG_TRANSITIONS: readonly FlagTransition[] = [
  {
    cause: "start",
    of: "itself",
    sets: ["DISABLED", "STOPPED"],
    clears: [],
    by: "`start as disabled` and `start as stopped` of ctdb.conf",
  },
  {
    cause: "command",
    of: "itself",
    sets: ["DISABLED", "STOPPED"],
    clears: ["DISABLED", "STOPPED"],
    by: "a client of any node: DISABLE_NODE, ENABLE_NODE, STOP_NODE, CONTINUE_NODE",
  },
  {
    cause: "ban",
    of: "itself",
    sets: ["BANNED"],
    clears: [],
    by: "SET_BAN_STATE of a client of any node or of the leader, for this node; the node itself, when it cannot go on; nothing while EnableBans is 0",
  },
  {
    cause: "ban ended",
    of: "itself",
    sets: [],
    clears: ["BANNED"],
    by: "the end of its time, once all databases are frozen; SET_BAN_STATE with 0 seconds",
  },
  {
    cause: "monitor",
    of: "itself",
    sets: ["UNHEALTHY"],
    clears: ["UNHEALTHY"],
    by: "the monitor event",
  },
  {
    cause: "link lost",
    of: "others",
    sets: ["DISCONNECTED", "UNHEALTHY"],
    clears: [],
    by: "this node: the link ended, or no packet came for KeepaliveLimit intervals",
  },
  {
    cause: "link up",
    of: "others",
    sets: [],
    clears: ["DISCONNECTED"],
    by: "this node: both connections are up, and the other means the same nodes",
  },
  {
    cause: "nodes file",
    of: "others",
    sets: ["DISCONNECTED", "DELETED", "UNHEALTHY"],
    clears: ["DELETED", ...TOLD],
    by: "RELOAD_NODES_FILE: a line was added, removed or brought back, and begins anew",
  },
  {
    cause: "told",
    of: "others",
    sets: TOLD,
    clears: TOLD,
    by: "MODIFY_FLAGS of the node itself, of the leader, or of this node's recovery daemon; not while the node is disconnected",
  },
];

interface Allowed {
  readonly sets: number;
  readonly clears: number;
}

const ALLOWED: ReadonlyMap<FlagCause, Allowed & Pick<FlagTransition, "of">> = new Map(
  FLAG_TRANSITIONS.map(({ cause, of, sets, clears }) => [
    cause,
    { of, sets: maskOf(sets), clears: maskOf(clears) },
  ]),
);

function maskOf(words: readonly FlagWord[]): number {
  return FLAGS_BY_WORD.reduce(
    (mask, [word, flag]) => (words.some((each) => each === word) ? mask | flag : mask),
    0,
  );
}

/** What becomes of flags that are to change from `before` to `wanted`; `refused`: those that stay against that wish. */
export function allowedFlags(
  cause: FlagCause,
  of: FlagTransition["of"],
  before: number,
  wanted: number,
): { readonly flags: number; readonly refused: number } {
  const row = ALLOWED.get(cause);
  const { sets, clears } = row?.of === of ? row : { sets: 0, clears: 0 };
  const gained = wanted & ~before;
  const lost = before & ~wanted;
  const flags = ((before | (gained & sets)) & ~(lost & clears)) >>> 0;
  return { flags, refused: ((gained & ~sets) | (lost & ~clears)) >>> 0 };
}

/** May `from` tell this node about flags of `about`? While no leader is known, an election may have another outcome than we heard. */
export function mayTellFlags(teller: {
  readonly from: number;
  readonly about: number;
  readonly ownPnn: number;
  readonly leader: number;
}): boolean {
  const { from, about, ownPnn, leader } = teller;
  return from === about || from === ownPnn || leader === UNKNOWN_PNN || from === leader;
}
