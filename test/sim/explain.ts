/**
 * Who waits for what in a simulated cluster that has not come to rest: what each node knows, and what keeps its recovery
 * daemon from going on.
 */
import { pnnText } from "../../src/cluster/election.ts";
import { NODE_FLAGS, RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import type { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import { flagsText } from "./settled.ts";

/** A line for each node, and some for what they share. */
export function explain(cluster: SimCluster): readonly string[] {
  return [...sharedTexts(cluster), ...cluster.nodes.map((node) => nodeText(cluster, node))];
}

function sharedTexts({ nodes, lockService, network }: SimCluster): readonly string[] {
  const texts: string[] = [];
  const leaders = nodes.filter(({ recoverd }) => recoverd?.election.leading === true);
  texts.push(`leading by their own account: ${pnnsText(leaders)}`);
  if (lockService !== undefined) {
    const holder = lockService.holder?.pnn;
    const believers = nodes.filter(({ clusterLock }) => clusterLock?.held === true);
    texts.push(
      `the cluster lock is held by ${holder === undefined ? "nobody" : `node ${holder}`}; ` +
        `who says that it holds it: ${pnnsText(believers)}`,
    );
  }
  for (const from of nodes) {
    for (const to of nodes) {
      if (from !== to && network.isTroubled(from.host, to.host)) {
        texts.push(`the network from node ${from.pnn} to ${to.pnn} is in trouble`);
      }
    }
  }
  return texts;
}

function nodeText(cluster: SimCluster, node: SimNode): string {
  const own = node.daemon?.node;
  if (own === undefined) {
    return `node ${node.pnn}: no ctdbd${node.host.powered ? "" : ", no power"}`;
  }
  const { state, nodes, vnnMap, membership } = own;
  const texts = [
    state.runstate,
    state.recoveryMode === RECOVERY_NORMAL ? "NORMAL" : "recovery mode ACTIVE",
    `generation ${vnnMap.generation}`,
    `vnn map ${vnnMap.map.join(" ")}`,
    `flags ${nodes
      .configured()
      .map((pnn) => `${pnn} ${flagsText(nodes.flags(pnn))}`)
      .join(", ")}`,
  ];
  const { time } = membership.standing.banState();
  if ((nodes.own.flags & NODE_FLAGS.BANNED) !== 0) texts.push(`its ban is one of ${time} s`);
  for (const database of node.databases?.databases() ?? []) {
    if (database.freeze.state !== "thawed") texts.push(`${database.name} ${database.freeze.state}`);
  }
  texts.push(...recoverdTexts(node), ...processTexts(node));
  const { trouble, troubled } = node.scripts;
  if (trouble !== undefined || troubled > 0) texts.push(`${troubled} scripts in trouble`);
  const held = node.host.publicAddresses.all;
  if (cluster.publicAddresses > 0) texts.push(`addresses ${held.join(" ") || "none"}`);
  return `node ${node.pnn}: ${texts.join("; ")}`;
}

function recoverdTexts({ recoverd }: SimNode): readonly string[] {
  if (recoverd === undefined) return ["no recovery daemon"];
  const { election, recoveries, takeoverRuns } = recoverd;
  const texts = [`takes ${pnnText(election.leader)} for the leader`];
  if (election.inProgress) texts.push("waits for the end of an election");
  if (election.leading && !election.mayAct && !election.inProgress) {
    texts.push("waits for the cluster lock");
  }
  if (recoveries.needed !== undefined) texts.push(`wants a recovery: ${recoveries.needed}`);
  if (recoveries.running) texts.push("runs a recovery");
  if (recoveries.gate.disabled) texts.push("recoveries are disabled here");
  if (takeoverRuns.running) texts.push("runs a takeover run");
  if (takeoverRuns.gate.disabled) texts.push("takeover runs are disabled here");
  if (takeoverRuns.wanted) texts.push("wants a takeover run");
  return texts;
}

function processTexts(node: SimNode): readonly string[] {
  return node.processes.filter(({ paused }) => paused).map(({ name }) => `${name} is paused`);
}

function pnnsText(nodes: readonly SimNode[]): string {
  return nodes.length === 0 ? "nobody" : nodes.map(({ pnn }) => `node ${pnn}`).join(", ");
}
