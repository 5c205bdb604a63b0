/** Breakages of the allocation of public addresses and of takeover runs; see list.ts. */
import type { Breakage } from "./breakage.ts";

const ALLOCATION = ["src/failover/allocation/allocate.test.ts"];
const RUNS = ["test/failover/run_takeover.test.ts"];

export const FAILOVER_BREAKAGES: readonly Breakage[] = [
  {
    name: "signed-addresses",
    breaks: "high addresses come behind low ones",
    edits: [
      {
        file: "src/failover/allocation/address_key.ts",
        find: "return [0, 0, 0, view.getUint32(0)];",
        replace: "return [0, 0, 0, view.getInt32(0)];",
      },
    ],
    tests: ["src/failover/allocation/address_key.test.ts"],
  },
  {
    name: "hearsay-of-addresses",
    breaks: "a node is believed about what others host",
    edits: [
      {
        file: "src/failover/allocation/addresses.ts",
        find: "const host = pnn === node ? node :",
        replace: "const host = pnn < nodeCount ? pnn :",
      },
    ],
    tests: ALLOCATION,
  },
  {
    name: "failback-forbidden-and-done",
    breaks: "addresses move with NoIPFailback",
    edits: [
      {
        file: "src/failover/allocation/lcp2.ts",
        find: "if (state.noFailback || candidates.length === 0) return;",
        replace: "if (candidates.length === 0) return;",
      },
    ],
    tests: ALLOCATION,
  },
  {
    name: "no-failback",
    breaks: "a node that comes back gets no addresses",
    edits: [
      {
        file: "src/failover/allocation/lcp2.ts",
        find: "(pnn) => !hosts.has(pnn) || forced.has(pnn),",
        replace: "(pnn) => forced.has(pnn),",
      },
    ],
    tests: ALLOCATION,
  },
  {
    name: "stale-costs",
    breaks: "what an address costs a node is not changed by moves",
    edits: [
      {
        file: "src/failover/allocation/lcp2_costs.ts",
        find: "    this.#addImbalance(pnn, this.cost(index, pnn));\n    this.#placed(index, pnn, 1);\n    address.pnn",
        replace: "    this.#addImbalance(pnn, this.cost(index, pnn));\n    address.pnn",
      },
    ],
    tests: ALLOCATION,
  },
  {
    name: "take-what-is-not-released",
    breaks: "an address is taken although a node did not release it",
    edits: [
      {
        file: "src/failover/takeover/run_takeover.ts",
        find: "  if (!released.ok) return released;\n",
        replace: "",
      },
    ],
    tests: RUNS,
  },
  {
    name: "release-on-the-host",
    breaks: "the node that is to have an address is told to release it",
    edits: [
      {
        file: "src/failover/takeover/move_addresses.ts",
        find: "(pnn) => pnn !== host && knownOn.has(pnn)",
        replace: "(pnn) => knownOn.has(pnn)",
      },
    ],
    tests: RUNS,
  },
  {
    name: "old-peer-fails-the-run",
    breaks: "a node that does not know START_IPREALLOCATE fails the run",
    edits: [
      {
        file: "src/failover/takeover/move_addresses.ts",
        find: "const UNKNOWN_CONTROL = -1;",
        replace: "const UNKNOWN_CONTROL = -2;",
      },
    ],
    tests: RUNS,
  },
  {
    name: "failed-event-succeeds",
    breaks: "a takeover run takes a failed event for success",
    edits: [
      {
        file: "src/failover/takeover/request_status.ts",
        find: "if (outcome.ok) return outcome.value.status;",
        replace: "if (outcome.ok) return 0;",
      },
    ],
    tests: RUNS,
  },
  {
    name: "steps-without-a-common-deadline",
    breaks: "each step of a takeover run has the whole time",
    edits: [
      {
        file: "src/failover/takeover/takeover_context.ts",
        find: "return Math.max(this.#atMs - this.#clock.monotonicMs(), 0);",
        replace: "return Math.max(this.#atMs, this.#clock === undefined ? 1 : 0);",
      },
    ],
    tests: RUNS,
  },
  {
    name: "takeover-bans-although-disabled",
    breaks: "a failed takeover run asks for bans with EnableBans 0",
    edits: [
      {
        file: "src/failover/takeover/run_takeover.ts",
        find: "settings.value.enableBans ? blameWorst(context) : undefined",
        replace: "settings.value ? blameWorst(context) : undefined",
      },
    ],
    tests: RUNS,
  },
];
