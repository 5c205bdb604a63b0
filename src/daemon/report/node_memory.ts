/** What a node holds in memory, for the memory report: clients, queues, tables. */
import { type TracedTurns, TURN_BUCKETS_MS } from "../../base/trace.ts";
import { TUNABLES } from "../../config/tunables.ts";
import type { ControlRouter } from "../../control/control_router.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { DatabasePart } from "../database_part.ts";
import type { ClientTable } from "../routing/client_table.ts";
import type { PacketInput } from "../routing/packet_input.ts";
import type { SrvidRegistry } from "../routing/srvid_registry.ts";
import type { MemoryItem, MemoryUse } from "./memory_report.ts";
import type { NodeStatistics } from "./node_statistics.ts";

/** The parts of a node that hold memory or count, as far as they are counted here. */
export interface CountedParts {
  readonly clients: Pick<ClientTable, "all">;
  readonly nodes: Pick<NodeTable, "entries">;
  readonly registry: Pick<SrvidRegistry, "size">;
  readonly database: Pick<DatabasePart, "memoryBytes" | "memoryItems">;
  readonly controls: Pick<ControlRouter, "pendingCount" | "replies">;
  readonly statistics: Pick<NodeStatistics, "historyBytes">;
  readonly input: Pick<PacketInput, "refused" | "outsiders" | "staleCalls">;
  /** Bytes that wait for a node. */
  queuedBytes(pnn: number): number;
}

export function nodeMemory(node: CountedParts, use: MemoryUse, turns: TracedTurns): MemoryItem {
  const clients = [...node.clients.all()].map((client) => ({
    name: `client-${client.pid}`,
    bytes: client.link.queuedBytes + client.link.bufferedBytes,
    children: [
      { name: "registered srvids", bytes: client.srvids.length * 16 },
      { name: "pending controls", bytes: client.pendingControls * 64 },
    ],
  }));
  const nodes = node.nodes.entries().map(({ pnn }) => ({
    name: `node-${pnn}`,
    bytes: node.queuedBytes(pnn),
  }));
  const databases = node.database.memoryItems();
  return {
    name: "null_context",
    bytes: 0,
    children: [
      { name: "JavaScript heap", bytes: use.heapBytes },
      { name: "buffers", bytes: use.externalBytes },
      { name: "views of mapped files", bytes: use.viewedBytes },
      {
        name: "struct ctdb_context",
        bytes: 0,
        children: [
          { name: "clients", bytes: 0, children: clients },
          { name: "nodes", bytes: 0, children: nodes },
          { name: "databases", bytes: node.database.memoryBytes(), children: databases },
          { name: "srvid registry", bytes: node.registry.size * 16 },
          { name: "pending controls", bytes: node.controls.pendingCount * 64 },
          { name: "statistics history", bytes: node.statistics.historyBytes },
          { name: "tunables", bytes: TUNABLES.length * 4 },
          { name: `controls answered twice: ${node.controls.replies.doubles}`, bytes: 0 },
          ...refusedPackets(node),
          ...turnTimes(turns),
        ],
      },
    ],
  };
}

/** Counts of what was not handled: who wonders about memory wonders about senders, too. */
function refusedPackets({ input }: CountedParts): readonly MemoryItem[] {
  return [
    { name: `packets of clients refused: ${input.refused.client}`, bytes: 0 },
    { name: `packets of nodes refused: ${input.refused.node}`, bytes: 0 },
    { name: `packets of nodes that are kept out: ${input.outsiders}`, bytes: 0 },
    { name: `calls of other generations dropped: ${input.staleCalls}`, bytes: 0 },
  ];
}

/** How long turns of the event loop took until now, this one not included. */
function turnTimes(trace: TracedTurns): readonly MemoryItem[] {
  const { histogram, longestMs, longestSpan, busiestMs, busiestSpan } = trace;
  const counts = histogram.map((count, i) => {
    const bound = TURN_BUCKETS_MS[i];
    return `${count} ${bound === undefined ? "longer" : `< ${bound} ms`}`;
  });
  return [
    { name: `longest turn: ${longestMs.toFixed(1)} ms (${longestSpan})`, bytes: 0 },
    { name: `most processor time: ${busiestMs.toFixed(1)} ms (${busiestSpan})`, bytes: 0 },
    { name: `turns: ${counts.filter((text) => !text.startsWith("0 ")).join(", ")}`, bytes: 0 },
  ];
}
