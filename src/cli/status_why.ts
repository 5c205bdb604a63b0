/**
 * `ctdb status --why`: of everything that is not as it should be why it is so, since when, and what to do.
 *
 * Invariants:
 * 1. A node that has flags is asked itself, when it is connected, and none for long; otherwise counts what the asked node
 *    knows. Nodes that are gone are not asked.
 * 2. What other nodes say is shown without characters that do something to a terminal.
 */
import { TUNABLES } from "../config/tunables.ts";
import { NODE_FLAGS, NODE_FLAGS_INACTIVE, RECOVERY_NORMAL } from "../wire/constants.ts";
import { FLAGS_BY_WORD } from "../wire/flag_words.ts";
import { INVALID_GENERATION } from "../wire/packet.ts";
import { DATABASE_STANDINGS, type NodeStanding, type VnnMap } from "../wire/structs/cluster.ts";
import type { CommandContext } from "./command.ts";
import { printable } from "./format.ts";
import type { ShownNode } from "./node_lines.ts";
import type { Peers } from "./peers.ts";
import type { Condition } from "./schemas/cluster.ts";
import { explainNodes } from "./unhealthy.ts";

const MS_PER_SECOND = 1000;
const GONE = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED;
/** That were frozen first: the others wait for their turn. */
const DATABASES_SHOWN = 4;
const NOT_TOLD = "the node does not say why";

interface Shown {
  readonly nodes: readonly ShownNode[];
  readonly vnnMap: VnnMap;
  readonly recoveryMode: number;
  readonly leader: number | undefined;
}

const REMEDIES: ReadonlyMap<number, (pnn: number) => string> = new Map<
  number,
  (pnn: number) => string
>([
  [
    NODE_FLAGS.DISCONNECTED,
    () => "look whether ctdbd runs there, and whether each host reaches the other's TCP port 4379",
  ],
  [
    NODE_FLAGS.UNHEALTHY,
    (pnn) => `mend what its scripts complain of (ctdb scriptstatus on node ${pnn})`,
  ],
  [NODE_FLAGS.PERMANENTLY_DISABLED, (pnn) => `ctdb enable -n ${pnn}`],
  [NODE_FLAGS.STOPPED, (pnn) => `ctdb continue -n ${pnn}`],
  [
    NODE_FLAGS.BANNED,
    (pnn) => `mend the cause; the ban ends by itself, or by ctdb unban -n ${pnn}`,
  ],
]);

export async function explainStatus(
  context: CommandContext,
  peers: Peers,
  shown: Shown,
): Promise<readonly Condition[]> {
  const known = peers.standing(context.session.target);
  const nodes = shown.nodes.map((node) => explainNode(context, peers, node, shown, known));
  const drift = otherTunables(context, peers, shown.nodes);
  const perNode = await Promise.all(nodes);
  return [...perNode.flat(), ...(await drift), ...clusterConditions(shown, await known)];
}

/** Nodes whose tunables are not those of the asked one: they follow other rules. */
async function otherTunables(
  { session }: CommandContext,
  peers: Peers,
  nodes: readonly ShownNode[],
): Promise<readonly Condition[]> {
  const connected = nodes.filter(({ flags }) => (flags & GONE) === 0).map(({ pnn }) => pnn);
  const told = new Map(
    await Promise.all(connected.map(async (pnn) => [pnn, await peers.tunables(pnn)] as const)),
  );
  const own = told.get(session.target);
  if (own === undefined) return [];
  return connected.flatMap((pnn) => {
    const theirs = told.get(pnn);
    if (theirs === undefined) return [];
    const different = TUNABLES.flatMap(({ name, obsolete }, index) =>
      obsolete || theirs[index] === own[index]
        ? []
        : [`${name} is ${theirs[index]} there and ${own[index]} on node ${session.target}`],
    );
    if (different.length === 0) return [];
    const remedy =
      "make ctdb.tunables the same on all nodes, and ctdb setvar --all NAME VALUE for the running ones";
    return [
      {
        node: pnn,
        condition: "OF OTHER TUNABLES",
        reason: different.join("; "),
        since_seconds: null,
        remedy,
      },
    ];
  });
}

async function explainNode(
  context: CommandContext,
  peers: Peers,
  node: ShownNode,
  shown: Shown,
  known: Promise<NodeStanding | undefined>,
): Promise<readonly Condition[]> {
  const { pnn, flags } = node;
  if ((flags & NODE_FLAGS.DELETED) !== 0) return [];
  const isGone = (flags & GONE) !== 0;
  const asksItself = flags !== 0 && !isGone && pnn !== context.session.target;
  const isUnhealthy = !isGone && (flags & NODE_FLAGS.UNHEALTHY) !== 0;
  const [itself, own, scripts, problems, missing] = await Promise.all([
    asksItself ? peers.standing(pnn) : undefined,
    known,
    isUnhealthy ? explainNodes(context, peers, [pnn]) : [],
    isGone ? peers.problemsOf(pnn) : [],
    explainMap(peers, node, shown),
  ]);
  // A node that is gone counts as unhealthy: that says nothing of its own.
  const words = FLAGS_BY_WORD.filter(
    ([, flag]) => (flags & flag) !== 0 && !(isGone && flag === NODE_FLAGS.UNHEALTHY),
  );
  const conditions = words.map(([word, flag]): Condition => {
    const found = [itself, own]
      .flatMap((standing) => standing?.flags ?? [])
      .find((each) => each.pnn === pnn && each.flag === flag);
    const more =
      flag === NODE_FLAGS.UNHEALTHY
        ? scripts.flatMap(({ reasons }) => reasons)
        : flag === NODE_FLAGS.DISCONNECTED
          ? problems
          : [];
    const reasons = more.length > 0 ? more : [found?.reason ?? NOT_TOLD];
    return {
      node: pnn,
      condition: word,
      reason: printable(reasons.join("; ")),
      since_seconds: found === undefined ? null : found.age_ms / MS_PER_SECOND,
      remedy: REMEDIES.get(flag)?.(pnn) ?? "ctdb doctor",
    };
  });
  return [...conditions, ...missing];
}

/** An active node to which the map gives no records. */
async function explainMap(
  peers: Peers,
  { pnn, flags }: ShownNode,
  { vnnMap, recoveryMode }: Shown,
): Promise<readonly Condition[]> {
  const isSettled = recoveryMode === RECOVERY_NORMAL && vnnMap.generation !== INVALID_GENERATION;
  if ((flags & NODE_FLAGS_INACTIVE) !== 0 || !isSettled || vnnMap.map.includes(pnn)) return [];
  const isOff = (await peers.isLmaster(pnn)) === false;
  return [
    {
      node: pnn,
      condition: "NOT IN THE MAP",
      reason: isOff ? "its lmaster capability is off" : "no recovery has taken it in yet",
      since_seconds: null,
      remedy: isOff
        ? `nothing, if that is wanted; otherwise ctdb setlmasterrole on -n ${pnn}, then ctdb recover`
        : "ctdb recover, when that lasts",
    },
  ];
}

function clusterConditions(shown: Shown, known: NodeStanding | undefined): readonly Condition[] {
  const about = (condition: string, reason: string, remedy: string, ageMs?: number): Condition => ({
    node: null,
    condition,
    reason: printable(reason),
    since_seconds: ageMs === undefined ? null : ageMs / MS_PER_SECOND,
    remedy,
  });
  const conditions: Condition[] = [];
  if (shown.vnnMap.generation === INVALID_GENERATION) {
    const reason = "the asked node has taken part in no recovery since its start, or is inactive";
    conditions.push(about("NOT RECOVERED YET", reason, "ctdb status on an active node"));
  }
  if (shown.recoveryMode !== RECOVERY_NORMAL) {
    const reason = [known?.recovery_reason || NOT_TOLD, ...progressOf(known)].join("; ");
    const remedy = "it ends within seconds; if not, ctdb why recovery, and the log of the leader";
    const ageMs = known?.recovery_reason ? known.recovery_age_ms : undefined;
    conditions.push(about("IN RECOVERY", reason, remedy, ageMs));
  }
  if (shown.leader === undefined) {
    const reason = "an election goes on, or no node that may lead is connected and active";
    conditions.push(about("WITHOUT A LEADER", reason, "ctdb -n all getcapabilities; ctdb doctor"));
  }
  return conditions;
}

/** How far the recovery is, by what it does to the databases of the asked node. */
function progressOf(known: NodeStanding | undefined): readonly string[] {
  if (known === undefined || known.databases === 0) return [];
  const { databases, ready, recovering } = known;
  const doing = recovering.slice(0, DATABASES_SHOWN).map(({ name, doing, age_ms, records }) => {
    const state = DATABASE_STANDINGS[doing] ?? "busy";
    const moved = records === 0 ? "" : `, ${records} records moved`;
    return `${name} ${state} (${(age_ms / MS_PER_SECOND).toFixed(1)} s${moved})`;
  });
  const more = databases - ready - doing.length;
  return [
    `${ready} of ${databases} databases are ready on the asked node`,
    ...doing,
    ...(more > 0 ? [`${more} more`] : []),
  ];
}
