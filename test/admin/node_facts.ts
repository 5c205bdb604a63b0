/** What a ctdbd tells of itself, for tests of metrics: something of everything. */
import type { NodeFacts } from "../../src/wire/node_facts.ts";

const durations = { count: 6, total_ms: 123.5, longest_ms: 99, buckets: [1, 2, 3] };

export function nodeFacts(): NodeFacts {
  return {
    id: 1,
    node: 0,
    pid: 4711,
    version: "9.9.9",
    uptime_ms: 60_000,
    memory: { resident_bytes: 70_000_000, heap_bytes: 20_000_000, external_bytes: 1_000_000 },
    turns: {
      bounds_ms: [1, 2],
      spans: [{ name: "client", ...durations }],
      longest_ms: 99,
      longest_span: "client",
      busiest_ms: 98,
      busiest_span: "vacuum",
    },
    calls: { pending: 1, collapsed: 2, pending_controls: 3 },
    queues: {
      peers: [{ node: 1, bytes: 4096 }],
      own_bytes: 0,
      clients: 5,
      client_bytes: 77,
      longest: [{ pid: 12, bytes: 70 }],
    },
    wait_bounds_ms: [1, 10],
    databases: [
      {
        name: 'a "quoted" name\\ and\nmore.tdb',
        id: 0xabcdef,
        kind: "volatile",
        lock_waits: { ...durations, failed: 1, waiting: 2 },
        migrations: durations,
        hops: [5, 4, 0],
        deferred_calls: 3,
        deferred_bytes: 300,
        vacuum: {
          delete_queue: 4,
          fetch_queue: 5,
          overflows: 0,
          runs: 9,
          full_runs: 2,
          failed_runs: 1,
          total_ms: 55,
          last_ms: 5,
          deleted: 100,
          kept: 7,
        },
      },
    ],
    journal: { ring: "r1", size: 3, first: 8, last: 10, lost: 1, kinds: { link_up: 4, flags: 6 } },
    recoveries: {
      succeeded: 2,
      failed: 1,
      total_ms: 900,
      last_ms: 300,
      steps: [{ name: "freeze", count: 3, total_ms: 30, last_ms: 10 }],
    },
    takeovers: { succeeded: 4, failed: 0, total_ms: 40, last_ms: 9 },
    flags_refused: 2,
    addresses: { taken: 2, released: 1, failed: 0 },
    scripts: [
      { event: "monitor", script: "50.samba", result: -110, duration_ms: 60_000, ended_us: 0 },
      { event: "monitor", script: "00.ctdb", result: 0, duration_ms: null, ended_us: 1 },
    ],
    tls: {
      refused: { plain: 2, "other address": 0 },
      serial: "4A",
      certificate_until_ms: 1_800_000_000_000,
      authority_until_ms: 1_900_000_000_000,
    },
  };
}
