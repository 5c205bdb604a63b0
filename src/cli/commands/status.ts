/** `ctdb status` and `ctdb nodestatus`. */
import { NODE_FLAGS, RECOVERY_NORMAL, RUNSTATES } from "../../wire/constants.ts";
import { INVALID_GENERATION, UNKNOWN_PNN } from "../../wire/packet.ts";
import type { NodeAndFlags, VnnMap } from "../../wire/structs/cluster.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import {
  flagsWhileStarting,
  jsonNodes,
  machineNodes,
  type ShownNode,
  textNodes,
} from "../node_lines.ts";
import { Peers } from "../peers.ts";
import { type Session, selectNodes } from "../session.ts";
import { toolPaths } from "../tool_paths.ts";

export interface ShownStatus {
  readonly nodes: readonly ShownNode[];
  readonly vnnMap: VnnMap;
  readonly recoveryMode: number;
  /** undefined: nobody said. */
  readonly leader: number | undefined;
  /** Sentences about nodes that the daemon keeps out. */
  readonly problems: readonly string[];
}

export const status: Command = async (context, args) => {
  expectArguments(args, 0);
  const { session, host, options } = context;
  const peers = new Peers(session);
  const known = await session.nodes((pnn) => peers.ask("GET_NODEMAP", pnn, undefined));
  if (options.machine) {
    const nodes = await shownNodes(peers, session, await knownFlags(context, known));
    host.out(machineNodes(nodes, options.separator));
  } else {
    const [leader, shown, problems] = await Promise.all([
      peers.leader("unknown"),
      shownCluster(context, peers, known),
      options.json ? [] : peers.problems(known),
    ]);
    const whole = { ...shown, leader, problems };
    host.out(options.json ? statusJson(whole) : statusText(whole));
  }
  if (options.verbose && !options.machine && !options.json) await explainHealth(context, known);
  await peers.explain();
  return 0;
};

/** Of the own node only: no other event daemon can be asked from here. */
async function explainHealth(
  { session, host }: CommandContext,
  nodes: readonly NodeAndFlags[],
): Promise<void> {
  const { pnn } = session;
  const own = nodes.find((node) => node.pnn === pnn);
  if (own === undefined || (own.flags & NODE_FLAGS.UNHEALTHY) === 0) return;
  const { whyUnhealthy } = await import("../event_status.ts");
  const reasons = await whyUnhealthy(host, toolPaths(host).eventSocket);
  if (reasons.ok)
    host.out(reasons.value.map((text) => `Node ${pnn} is unhealthy: ${text}\n`).join(""));
  else host.err(`Cannot ask the event daemon why node ${pnn} is unhealthy: ${reasons.error}\n`);
}

async function shownCluster(
  context: CommandContext,
  peers: Peers,
  known: readonly NodeAndFlags[],
): Promise<Omit<ShownStatus, "leader" | "problems">> {
  const { session } = context;
  const flags = await knownFlags(context, known);
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
  const text = options.machine
    ? machineNodes(nodes, options.separator)
    : textNodes(nodes, args[0] === "all");
  host.out(text);
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
  return [
    textNodes(status.nodes, true),
    `Generation:${generation === INVALID_GENERATION ? "INVALID" : generation}\n`,
    `Size:${map.length}\n`,
    ...map.map((lmaster, hash) => `hash:${hash} lmaster:${lmaster}\n`),
    `Recovery mode:${recoveryWord(recoveryMode)} (${recoveryMode})\n`,
    `Leader:${leader ?? "UNKNOWN"}\n`,
    ...status.problems.map((text) => `${text}\n`),
  ].join("");
}

function statusJson(status: ShownStatus): string {
  const { vnnMap, recoveryMode, leader } = status;
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
  };
  return JSON.stringify(value, null, 2);
}
