/** Asks a node over its socket how far it is. Nothing here waits for the node to change. */
import type { Result } from "../base/result.ts";
import type { ClientFailure, CtdbClient } from "../client/types.ts";
import { NODE_FLAGS, RUNSTATES } from "../wire/constants.ts";
import { flagWords } from "../wire/flag_words.ts";

export type Connect = (
  socketPath: string,
  timeoutMs: number,
) => Promise<Result<CtdbClient, ClientFailure>>;

export interface NodeHealth {
  /** Text of the failure when the node does not answer. */
  readonly failure: string | undefined;
  readonly runstate: string;
  readonly recovering: boolean;
  /** NODE_FLAGS of all nodes as this node sees them, by pnn. */
  readonly flags: readonly number[];
}

const QUESTION_TIMEOUT_MS = 2000;

export async function askHealth(connect: Connect, socketPath: string): Promise<NodeHealth> {
  const connected = await connect(socketPath, QUESTION_TIMEOUT_MS);
  if (!connected.ok) return silent(connected.error.reason);
  const client = connected.value;
  try {
    const options = { timeoutMs: QUESTION_TIMEOUT_MS };
    const [runstate, recmode, nodeMap] = await Promise.all([
      client.control("GET_RUNSTATE", undefined, options),
      client.control("GET_RECMODE", undefined, options),
      client.control("GET_NODEMAP", undefined, options),
    ]);
    if (!runstate.ok) return silent(runstate.error.reason);
    if (!recmode.ok) return silent(recmode.error.reason);
    if (!nodeMap.ok) return silent(nodeMap.error.reason);
    return {
      failure: undefined,
      runstate: RUNSTATES[runstate.value.data] ?? `${runstate.value.data}`,
      recovering: recmode.value.status !== 0,
      flags: nodeMap.value.data.map((node) => node.flags),
    };
  } finally {
    client.close();
  }
}

function silent(failure: string): NodeHealth {
  return { failure, runstate: "UNKNOWN", recovering: false, flags: [] };
}

/** Flags as `ctdb status` writes them. */
export function flagsText(flags: number): string {
  const set = flagWords(flags);
  return set.length === 0 ? "OK" : set.join("|");
}

/** Why the node is not yet up beside the nodes `together`; undefined when it is. */
export function notReady(
  health: NodeHealth,
  pnn: number,
  together: readonly number[],
): string | undefined {
  if (health.failure !== undefined) return health.failure;
  if (health.runstate !== "RUNNING") return `runstate ${health.runstate}`;
  if (health.recovering) return "in recovery";
  const own = health.flags[pnn] ?? NODE_FLAGS.DISCONNECTED;
  const wrong = NODE_FLAGS.UNHEALTHY | NODE_FLAGS.BANNED | NODE_FLAGS.DISCONNECTED;
  if ((own & wrong) !== 0) return flagsText(own);
  const missing = together.filter((other) => ((health.flags[other] ?? 1) & wrong) !== 0);
  if (missing.length === 0) return undefined;
  const seen = missing.map((other) => `node ${other} as ${flagsText(health.flags[other] ?? 1)}`);
  return `sees ${seen.join(", ")}`;
}
