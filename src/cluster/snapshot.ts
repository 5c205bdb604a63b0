/**
 * What recoverd looks at before it decides: read-only answers of its own ctdbd (local), and, on
 * the leader, of the other nodes (remote). Collecting owns no state; what it returns is a value
 * that may be out of date when it arrives, so the decider checks the epoch.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { ControlOutcome, CtdbClient } from "../client/types.ts";
import { TunableSet } from "../config/tunables.ts";
import { decodePadded } from "../wire/codec.ts";
import { NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../wire/constants.ts";
import { type ControlName, PING_KNOWLEDGE } from "../wire/controls.ts";
import { CURRENT_NODE } from "../wire/packet.ts";
import {
  type NodeAndFlags,
  type NodeKnowledge,
  nodeKnowledge,
  type PeerProblem,
  type VnnMap,
} from "../wire/structs/cluster.ts";

export interface LocalSnapshot {
  readonly debugLevel: number;
  readonly tunables: TunableSet;
  readonly nodes: readonly NodeAndFlags[];
  readonly recoveryMode: number;
  readonly vnnMap: VnnMap;
  readonly capabilities: number;
  /** Nodes that our ctdbd keeps out, or that refuse it: mostly because their nodes file is another. */
  readonly keptOut: readonly number[];
}

/** Answers of connected nodes by pnn; a node that did not answer is missing. */
export interface RemoteSnapshot {
  readonly nodeMaps: ReadonlyMap<number, readonly NodeAndFlags[]>;
  readonly capabilities: ReadonlyMap<number, number>;
  /** Our own included. */
  readonly recoveryModes: ReadonlyMap<number, number>;
  readonly vnnMaps: ReadonlyMap<number, VnnMap>;
  /**
   * How long ago others heard each node, at most, by their pnn and its; of nodes of ours, and only if it was asked
   * for.
   */
  readonly heardMs: ReadonlyMap<number, readonly number[]>;
  /** Why answers are missing, for the log. */
  readonly problems: readonly string[];
}

export async function collectLocal(
  client: CtdbClient,
  timeoutMs: number,
): Promise<Result<LocalSnapshot>> {
  const options = { pnn: CURRENT_NODE, timeoutMs };
  const [debug, tunables, nodes, mode, vnnMap, capabilities, ping] = await Promise.all([
    client.control("GET_DEBUG", undefined, options),
    client.control("GET_ALL_TUNABLES", undefined, options),
    client.control("GET_NODEMAP", undefined, options),
    client.control("GET_RECMODE", undefined, options),
    client.control("GETVNNMAP", undefined, options),
    client.control("GET_CAPABILITIES", undefined, options),
    client.control("PING", undefined, { ...options, flags: PING_KNOWLEDGE }),
  ]);
  if (!debug.ok) return missing("GET_DEBUG", debug.error.reason);
  if (!tunables.ok) return missing("GET_ALL_TUNABLES", tunables.error.reason);
  if (!nodes.ok) return missing("GET_NODEMAP", nodes.error.reason);
  if (!mode.ok) return missing("GET_RECMODE", mode.error.reason);
  if (!vnnMap.ok) return missing("GETVNNMAP", vnnMap.error.reason);
  if (!capabilities.ok) return missing("GET_CAPABILITIES", capabilities.error.reason);
  const set = new TunableSet();
  set.assignWireOrder(tunables.value.data);
  const knowledge = ping.ok ? knowledgeIn(ping.value.data) : undefined;
  return ok({
    debugLevel: debug.value.data,
    tunables: set,
    nodes: nodes.value.data,
    recoveryMode: mode.value.status,
    vnnMap: vnnMap.value.data,
    capabilities: capabilities.value.data,
    keptOut: keptOut(nodes.value.data, knowledge?.problems ?? []),
  });
}

/** A daemon of another make answers without data. */
function knowledgeIn(data: Uint8Array | undefined): NodeKnowledge | undefined {
  const known = data === undefined ? undefined : decodePadded(nodeKnowledge, data);
  return known?.ok === true ? known.value : undefined;
}

function keptOut(
  nodes: readonly NodeAndFlags[],
  problems: readonly PeerProblem[],
): readonly number[] {
  return problems
    .map(({ pnn }) => pnn)
    .filter((pnn) => ((flagsOf(nodes, pnn) ?? 0) & NODE_FLAGS.DISCONNECTED) !== 0);
}

function missing(control: ControlName, reason: string): Result<never> {
  return err(`Cannot read the local node's state: ${control}: ${reason}`);
}

export async function collectRemote(
  client: CtdbClient,
  local: LocalSnapshot,
  { timeoutMs, askHeard }: { readonly timeoutMs: number; readonly askHeard: boolean },
): Promise<RemoteSnapshot> {
  const problems: string[] = [];
  // Also of nodes that we hold for inactive: they know better.
  const connected = connectedNodes(local.nodes);
  const others = connected.filter((pnn) => pnn !== client.pnn);
  const options = { timeoutMs };
  const [nodeMaps, capabilities, modes, vnnMaps, heardMs] = await Promise.all([
    client.controlEach("GET_NODEMAP", undefined, others, options),
    client.controlEach("GET_CAPABILITIES", undefined, others, options),
    client.controlEach("GET_RECMODE", undefined, connected, options),
    client.controlEach("GETVNNMAP", undefined, others, options),
    collectHeard(client, askHeard ? others : [], timeoutMs),
  ]);
  const known = answersOf("GET_CAPABILITIES", capabilities, problems);
  return {
    nodeMaps: answersOf("GET_NODEMAP", nodeMaps, problems),
    capabilities: new Map([...known, [client.pnn, local.capabilities]]),
    recoveryModes: statusesOf("GET_RECMODE", modes, problems),
    vnnMaps: answersOf("GETVNNMAP", vnnMaps, problems),
    heardMs,
    problems,
  };
}

async function collectHeard(
  client: CtdbClient,
  others: readonly number[],
  timeoutMs: number,
): Promise<ReadonlyMap<number, readonly number[]>> {
  const options = { timeoutMs, flags: PING_KNOWLEDGE };
  const heard = new Map<number, readonly number[]>();
  for (const [pnn, ping] of await client.controlEach("PING", undefined, others, options)) {
    const knowledge = ping.ok ? knowledgeIn(ping.value.data) : undefined;
    if (knowledge !== undefined) heard.set(pnn, knowledge.heard);
  }
  return heard;
}

function answersOf<T>(
  control: ControlName,
  outcomes: ReadonlyMap<number, ControlOutcome<T>>,
  problems: string[],
): ReadonlyMap<number, T> {
  const answers = new Map<number, T>();
  for (const [pnn, outcome] of outcomes) {
    if (outcome.ok) answers.set(pnn, outcome.value.data);
    else problems.push(`${control} on node ${pnn}: ${outcome.error.reason}`);
  }
  return answers;
}

function statusesOf(
  control: ControlName,
  outcomes: ReadonlyMap<number, ControlOutcome<unknown>>,
  problems: string[],
): ReadonlyMap<number, number> {
  const statuses = new Map<number, number>();
  for (const [pnn, outcome] of outcomes) {
    if (outcome.ok) statuses.set(pnn, outcome.value.status);
    else problems.push(`${control} on node ${pnn}: ${outcome.error.reason}`);
  }
  return statuses;
}

/**
 * This node keeps out more nodes than it is connected to, itself counted: its nodes file is the wrong one, not theirs. If it
 * had the cluster lock, the others could have no leader.
 */
export function isOddOne({ nodes, keptOut: out }: LocalSnapshot): boolean {
  return out.length > connectedNodes(nodes).length;
}

export function connectedNodes(nodes: readonly NodeAndFlags[]): readonly number[] {
  return pnnsWithout(nodes, NODE_FLAGS.DISCONNECTED);
}

export function activeNodes(nodes: readonly NodeAndFlags[]): readonly number[] {
  return pnnsWithout(nodes, NODE_FLAGS_INACTIVE);
}

function pnnsWithout(nodes: readonly NodeAndFlags[], flags: number): readonly number[] {
  return nodes.filter((node) => (node.flags & flags) === 0).map(({ pnn }) => pnn);
}

/** By that map it is connected, and neither stopped nor banned. */
export function seesActive(nodes: readonly NodeAndFlags[], pnn: number): boolean {
  return ((flagsOf(nodes, pnn) ?? NODE_FLAGS.DELETED) & NODE_FLAGS_INACTIVE) === 0;
}

export function flagsOf(nodes: readonly NodeAndFlags[], pnn: number): number | undefined {
  return nodes.find((node) => node.pnn === pnn)?.flags;
}
