/** `ctdb status` and `ctdb nodestatus`. */
import { NODE_FLAGS, RECOVERY_NORMAL, RUNSTATES } from "../../wire/constants.ts";
import { INVALID_GENERATION, UNKNOWN_PNN } from "../../wire/packet.ts";
import type { NodeAndFlags, VnnMap } from "../../wire/structs/cluster.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { flagsWhileStarting } from "../node_flags.ts";
import { jsonNodes, machineNodes, type ShownNode, textNodes } from "../node_lines.ts";
import { Peers } from "../peers.ts";
import type { Condition, nodestatusFacts } from "../schemas/cluster.ts";
import type { Facts } from "../schemas/facts.ts";
import { type Session, selectNodes } from "../session.ts";
import type { UnhealthyNode } from "../unhealthy.ts";

export interface ShownStatus {
  readonly nodes: readonly ShownNode[];
  readonly vnnMap: VnnMap;
  readonly recoveryMode: number;
  /** undefined: nobody said. */
  readonly leader: number | undefined;
  /** Sentences about nodes that the daemon keeps out. */
  readonly problems: readonly string[];
  /** Why nodes are unhealthy; undefined: nobody wants to know. */
  readonly unhealthy: readonly UnhealthyNode[] | undefined;
  /** What is not as it should be; undefined: nobody wants to know. */
  readonly why: readonly Condition[] | undefined;
}

export const status: Command = async (context, args) => {
  expectArguments(args, 0);
  const { session, host, options } = context;
  const peers = new Peers(session);
  const known = await session.nodes((pnn) => peers.ask("GET_NODEMAP", pnn, undefined));
  const flags = knownFlags(context, known);
  if (options.machine) {
    host.out(machineNodes(await shownNodes(peers, session, await flags), options.separator));
    await peers.explain();
    return 0;
  }
  const [leader, shown, problems, unhealthy] = await Promise.all([
    peers.leader("unknown"),
    shownCluster(context, peers, flags),
    options.json ? [] : peers.problems(known),
    options.verbose ? unhealthyNodes(context, peers, flags) : undefined,
  ]);
  const why = options.why
    ? await (await import("../status_why.ts")).explainStatus(context, peers, { ...shown, leader })
    : undefined;
  const whole = { ...shown, leader, problems, unhealthy, why };
  host.out(options.json ? statusJson(whole) : statusText(whole));
  for (const { problem } of unhealthy ?? []) if (problem !== "") host.err(`${problem}\n`);
  await peers.explain();
  return 0;
};

/** Those that are unhealthy in the eyes of the asked node and can be asked. */
async function unhealthyNodes(
  context: CommandContext,
  peers: Peers,
  flags: ReturnType<typeof knownFlags>,
): Promise<readonly UnhealthyNode[]> {
  const gone = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED;
  const pnns = (await flags)
    .filter((node) => (node.flags & (NODE_FLAGS.UNHEALTHY | gone)) === NODE_FLAGS.UNHEALTHY)
    .map(({ pnn }) => pnn);
  if (pnns.length === 0) return [];
  const { explainNodes } = await import("../unhealthy.ts");
  return await explainNodes(context, peers, pnns);
}

async function shownCluster(
  context: CommandContext,
  peers: Peers,
  known: ReturnType<typeof knownFlags>,
): Promise<Pick<ShownStatus, "nodes" | "vnnMap" | "recoveryMode">> {
  const { session } = context;
  const flags = await known;
  const [vnnMap, recoveryMode, nodes] = await Promise.all([
    session.ask("GETVNNMAP", undefined),
    session.answer("GET_RECMODE", undefined),
    shownNodes(peers, session, flags),
  ]);
  return { vnnMap, recoveryMode: recoveryMode.status, nodes };
}

export const nodestatus: Command = async (context, args) => {
  expectArguments(args, 0, 1);
  const { session, host, options } = context;
  const peers = new Peers(session);
  // What is selected from: asked for here, where a peer that hangs keeps nobody waiting.
  await session.nodes((pnn) => peers.ask("GET_NODEMAP", pnn, undefined));
  const selected = await selectNodes(session, args[0]);
  const nodes = await shownNodes(peers, session, await knownFlags(context, selected));
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      ...jsonNodes(nodes),
    } satisfies Facts<typeof nodestatusFacts>);
  } else if (options.machine) host.out(machineNodes(nodes, options.separator));
  else host.out(textNodes(nodes, args[0] === "all"));
  await peers.explain();
  return nodes
    .filter((node) => (node.flags & NODE_FLAGS.DELETED) === 0)
    .reduce((flags, node) => flags | node.flags, 0);
};

/** The nodes, with flags that say so where the asked node cannot know yet. */
async function knownFlags(
  { session, host }: CommandContext,
  nodes: readonly NodeAndFlags[],
): Promise<readonly NodeAndFlags[]> {
  const runstate = await session.tryAsk("GET_RUNSTATE", undefined);
  if (!runstate.ok) {
    host.out("Unable to get runstate");
    throw new CommandFailure(1);
  }
  const starting = runstate.value.data <= RUNSTATES.indexOf("FIRST_RECOVERY");
  if (!starting) return nodes;
  return nodes.map((node) => ({ ...node, flags: flagsWhileStarting(node, session.target) }));
}

async function shownNodes(
  peers: Peers,
  session: Session,
  nodes: readonly NodeAndFlags[],
): Promise<readonly ShownNode[]> {
  return await Promise.all(
    nodes.map(async ({ pnn, addr, flags }) => {
      const interfaces = flags === 0 ? await peers.ask("GET_IFACES", pnn, undefined) : [];
      const partiallyOnline = interfaces?.some((entry) => entry.link_state === 0) === true;
      const thisNode = pnn === session.target;
      return { pnn, address: addr.address, flags, partiallyOnline, thisNode };
    }),
  );
}

function recoveryWord(mode: number): string {
  return mode === RECOVERY_NORMAL ? "NORMAL" : "RECOVERY";
}

function statusText(status: ShownStatus): string {
  const { vnnMap, recoveryMode, leader } = status;
  const { generation, map } = vnnMap;
  const reasons = (status.unhealthy ?? []).flatMap(({ pnn, reasons }) =>
    reasons.map((reason) => `Node ${pnn} is unhealthy: ${reason}\n`),
  );
  return [
    textNodes(status.nodes, true),
    `Generation:${generation === INVALID_GENERATION ? "INVALID" : generation}\n`,
    `Size:${map.length}\n`,
    ...map.map((lmaster, hash) => `hash:${hash} lmaster:${lmaster}\n`),
    `Recovery mode:${recoveryWord(recoveryMode)} (${recoveryMode})\n`,
    `Leader:${leader ?? "UNKNOWN"}\n`,
    ...status.problems.map((text) => `${text}\n`),
    ...reasons,
    ...(status.why ?? []).map((condition) => `${conditionText(condition)}\n`),
  ].join("");
}

function statusJson(status: ShownStatus): string {
  const { vnnMap, recoveryMode, leader, unhealthy, why } = status;
  const { generation, map } = vnnMap;
  const value = {
    node_status: jsonNodes(status.nodes),
    vnn_status: {
      generation: generation === INVALID_GENERATION ? null : generation,
      size: map.length,
      vnn_map: map.map((lmaster, hash) => ({ hash, lmaster })),
    },
    recovery_mode: recoveryWord(recoveryMode),
    recovery_mode_raw: recoveryMode,
    leader: leader ?? UNKNOWN_PNN,
    ...(unhealthy === undefined ? {} : { unhealthy: unhealthyJson(unhealthy) }),
    ...(why === undefined ? {} : { why }),
  };
  return JSON.stringify(value, null, 2);
}

function conditionText({ node, condition, since_seconds, reason, remedy }: Condition): string {
  const who = node === null ? "The cluster" : `Node ${node}`;
  const since = since_seconds === null ? "" : ` for ${since_seconds.toFixed(1)} s`;
  return `${who} is ${condition}${since}: ${reason}. Do: ${remedy}`;
}

/** By pnn; without reasons a node has not said them. */
function unhealthyJson(nodes: readonly UnhealthyNode[]): object {
  return Object.fromEntries(nodes.map(({ pnn, reasons }) => [String(pnn), { reasons }]));
}
