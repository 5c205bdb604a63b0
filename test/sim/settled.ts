/**
 * Whether a simulated cluster has come to rest, and if not, what is missing: liveness failures must
 * explain themselves.
 */
import { pnnText } from "../../src/cluster/election.ts";
import { NODE_FLAGS, RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import type { SimNode } from "./node.ts";

/**
 * Empty when all of these nodes run, are connected and active, in NORMAL mode, and agree about
 * generation, vnn map, flags and leader.
 */
export function unsettled(nodes: readonly SimNode[]): readonly string[] {
  return [...problems(nodes)];
}

/** No text is made for what nobody reads: a run asks every virtual second. */
export function isSettled(nodes: readonly SimNode[]): boolean {
  return problems(nodes).next().done === true;
}

function* problems(nodes: readonly SimNode[]): Generator<string, void> {
  let count = 0;
  for (const node of nodes) {
    for (const problem of problemsOf(node, nodes[0])) {
      count += 1;
      yield `node ${node.pnn}: ${problem}`;
    }
  }
  const led = nodes.some((node) => node.recoverd?.election.leading === true);
  if (count === 0 && !led) yield "nobody leads";
}

function* problemsOf(node: SimNode, first: SimNode | undefined): Generator<string, void> {
  const own = node.daemon?.node;
  if (own === undefined) {
    yield "ctdbd does not run";
    return;
  }
  if (own.state.runstate !== "RUNNING") yield `runstate ${own.state.runstate}`;
  if (own.state.recoveryMode !== RECOVERY_NORMAL) yield "recovery mode ACTIVE";
  for (const pnn of own.nodes.configured()) {
    const flags = own.nodes.flags(pnn);
    if (flags !== 0) yield `sees node ${pnn} ${flagsText(flags)}`;
  }
  const reference = first?.daemon?.node;
  const { generation, map } = own.vnnMap;
  if (reference !== undefined && generation !== reference.vnnMap.generation) {
    yield `another generation than node ${first?.pnn}`;
  }
  if (!sameNumbers(map, reference?.vnnMap.map)) {
    yield `vnn map ${map.join(" ")}, node ${first?.pnn} ${reference?.vnnMap.map.join(" ")}`;
  }
  for (const database of node.databases?.databases() ?? []) {
    if (database.freeze.state !== "thawed") yield `${database.name} is ${database.freeze.state}`;
    else if (database.generation !== generation) {
      yield `${database.name} has another generation than the vnn map`;
    }
  }
  const leader = first?.recoverd?.election.leader;
  const election = node.recoverd?.election;
  if (election === undefined) yield "no recovery daemon";
  else if (election.inProgress) yield "an election is under way";
  else if (election.leader !== leader || node.recoverd?.nodes.length === 0) {
    yield `leader ${pnnText(election.leader)}, node ${first?.pnn} ${pnnText(leader ?? -1)}`;
  } else if (election.leading && !election.mayAct) yield "leads without the cluster lock";
  if (node.recoverd?.recovering === true) yield "a recovery is under way";
}

function sameNumbers(a: readonly number[], b: readonly number[] | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((value, at) => value === b[at]);
}

export function flagsText(flags: number): string {
  const names = Object.entries(NODE_FLAGS)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => (name === "PERMANENTLY_DISABLED" ? "DISABLED" : name));
  return names.length === 0 ? "OK" : names.join("|");
}
