/** `ctdb status` and `ctdb nodestatus`. */
import { NODE_FLAGS, RECOVERY_NORMAL, RUNSTATES } from "../../wire/constants.ts";
import { INVALID_GENERATION, UNKNOWN_PNN } from "../../wire/packet.ts";
import type { NodeAndFlags, VnnMap } from "../../wire/structs.ts";
import { type Command, type CommandContext, CommandFailure, expectArguments } from "../command.ts";
import {
  flagsWhileStarting,
  jsonNodes,
  machineNodes,
  type ShownNode,
  textNodes,
} from "../node_lines.ts";
import { parseUnsigned32 } from "../numbers.ts";
import { type Session, selectNodes } from "../session.ts";

export interface ShownStatus {
  readonly nodes: readonly ShownNode[];
  readonly vnnMap: VnnMap;
  readonly recoveryMode: number;
  /** undefined: nobody said. */
  readonly leader: number | undefined;
}

export const status: Command = async (context, args) => {
  expectArguments(args, 0);
  const { session, host, options } = context;
  const known = await session.nodes();
  const asked = Promise.all([
    shownNodes(context, known),
    options.machine ? undefined : session.leader(),
  ]);
  if (options.machine) {
    const [nodes] = await asked;
    host.out(machineNodes(nodes, options.separator));
    return 0;
  }
  const vnnMap = await session.ask("GETVNNMAP", undefined);
  const recoveryMode = (await session.answer("GET_RECMODE", undefined)).status;
  const [nodes, leader] = await asked;
  const shown = { nodes, vnnMap, recoveryMode, leader };
  host.out(options.json ? statusJson(shown) : statusText(shown));
  return 0;
};

export const nodestatus: Command = async (context, args) => {
  expectArguments(args, 0, 1);
  const { session, host, options } = context;
  const selected = await selectNodes(session, args[0], parseUnsigned32);
  const nodes = await shownNodes(context, selected);
  const text = options.machine
    ? machineNodes(nodes, options.separator)
    : textNodes(nodes, args[0] === "all");
  host.out(text);
  return nodes
    .filter((node) => (node.flags & NODE_FLAGS.DELETED) === 0)
    .reduce((flags, node) => flags | node.flags, 0);
};

async function shownNodes(
  { session, host }: CommandContext,
  nodes: readonly NodeAndFlags[],
): Promise<readonly ShownNode[]> {
  const runstate = await session.tryAsk("GET_RUNSTATE", undefined);
  if (!runstate.ok) {
    host.out("Unable to get runstate");
    throw new CommandFailure(1);
  }
  const starting = runstate.value.data <= RUNSTATES.indexOf("FIRST_RECOVERY");
  return await Promise.all(
    nodes.map(async (node) => {
      const flags = starting ? flagsWhileStarting(node, session.target) : node.flags;
      return {
        pnn: node.pnn,
        address: node.addr.address,
        flags,
        partiallyOnline: flags === 0 && (await hasInterfaceDown(session, node.pnn)),
        thisNode: node.pnn === session.target,
      };
    }),
  );
}

async function hasInterfaceDown(session: Session, pnn: number): Promise<boolean> {
  const interfaces = await session.tryAsk("GET_IFACES", undefined, pnn);
  return interfaces.ok && interfaces.value.data.some((entry) => entry.link_state === 0);
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
