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
  const problems: string[] = [];
  const first = nodes[0];
  const reference = first?.daemon?.node;
  const leader = first?.recoverd?.election.leader;
  for (const node of nodes) {
    const own = node.daemon?.node;
    const say = (text: string) => problems.push(`node ${node.pnn}: ${text}`);
    if (own === undefined) {
      say("ctdbd does not run");
      continue;
    }
    if (own.state.runstate !== "RUNNING") say(`runstate ${own.state.runstate}`);
    if (own.state.recoveryMode !== RECOVERY_NORMAL) say("recovery mode ACTIVE");
    for (const pnn of own.nodes.configured()) {
      const flags = own.nodes.flags(pnn);
      if (flags !== 0) say(`sees node ${pnn} ${flagsText(flags)}`);
    }
    if (reference !== undefined && own.vnnMap.generation !== reference.vnnMap.generation) {
      say(`another generation than node ${first?.pnn}`);
    }
    if (String(own.vnnMap.map) !== String(reference?.vnnMap.map)) {
      say(
        `vnn map ${own.vnnMap.map.join(" ")}, node ${first?.pnn} ${reference?.vnnMap.map.join(" ")}`,
      );
    }
    for (const database of node.databases?.databases() ?? []) {
      if (database.freeze.state !== "thawed") say(`${database.name} is ${database.freeze.state}`);
      else if (database.generation !== own.vnnMap.generation) {
        say(`${database.name} has another generation than the vnn map`);
      }
    }
    const election = node.recoverd?.election;
    if (election === undefined) say("no recovery daemon");
    else if (election.inProgress) say("an election is under way");
    else if (election.leader !== leader || node.recoverd?.nodes.length === 0) {
      say(`leader ${pnnText(election.leader)}, node ${first?.pnn} ${pnnText(leader ?? -1)}`);
    } else if (election.leading && !election.mayAct) say("leads without the cluster lock");
    if (node.recoverd?.recovering === true) say("a recovery is under way");
  }
  const led = nodes.some((node) => node.recoverd?.election.leading === true);
  if (problems.length === 0 && !led) problems.push("nobody leads");
  return problems;
}

export function flagsText(flags: number): string {
  const names = Object.entries(NODE_FLAGS)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => (name === "PERMANENTLY_DISABLED" ? "DISABLED" : name));
  return names.length === 0 ? "OK" : names.join("|");
}
