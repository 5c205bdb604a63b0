/** Facts of a node that has done nothing yet, for tests to change. */
import type { NodeFacts } from "../../src/wire/node_facts.ts";

export function emptyNodeFacts(): NodeFacts {
  return {
    id: 1,
    node: 0,
    pid: 1000,
    version: "1",
    uptime_ms: 0,
    memory: { resident_bytes: 0, heap_bytes: 0, external_bytes: 0 },
    turns: {
      bounds_ms: [1, 2],
      spans: [],
      longest_ms: 0,
      longest_span: "",
      busiest_ms: 0,
      busiest_span: "",
    },
    calls: { pending: 0, collapsed: 0, pending_controls: 0 },
    queues: { peers: [], own_bytes: 0, clients: 0, client_bytes: 0, longest: [] },
    wait_bounds_ms: [1, 10],
    databases: [],
    journal: { ring: "r", size: 0, first: 1, last: 0, lost: 0, kinds: {} },
    recoveries: { succeeded: 0, failed: 0, total_ms: 0, last_ms: 0, steps: [] },
    takeovers: { succeeded: 0, failed: 0, total_ms: 0, last_ms: 0 },
    flags_refused: 0,
    addresses: { taken: 0, released: 0, failed: 0 },
    scripts: [],
  };
}
