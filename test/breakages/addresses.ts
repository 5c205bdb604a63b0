/** Breakages of the public addresses of a node; see list.ts. */
import type { Breakage } from "./breakage.ts";

const MOVES = "src/failover/addresses/moves.ts";
const PART = "src/daemon/address_part.ts";
const CONNECTIONS = "src/failover/addresses/connections.ts";
const ORPHANS = "src/failover/addresses/orphans.ts";
const CONFLICTS = "src/failover/addresses/address_conflicts.ts";
const CONFLICTS_TEST = "src/failover/addresses/address_conflicts.test.ts";
const MOVES_TEST = "src/failover/addresses/moves.test.ts";
const DAEMON_TEST = "test/daemon/addresses.test.ts";

function breakage(
  name: string,
  breaks: string,
  [file, find, replace]: readonly [string, string, string],
  ...tests: readonly string[]
): Breakage {
  return { name, breaks, edits: [{ file, find, replace }], tests };
}

export const ADDRESS_BREAKAGES: readonly Breakage[] = [
  breakage(
    "release-believes-script",
    "an address that the kernel still has counts as released",
    [MOVES, "this.#host.localAddresses()?.has(address.text) === true) {", "status > 999) {"],
    MOVES_TEST,
  ),
  breakage(
    "node-in-recovery-takes",
    "a node in recovery takes public addresses",
    [PART, 'if (core.state.recovering) return "this node is in recovery";', ""],
    DAEMON_TEST,
  ),
  breakage(
    "stopped-node-keeps-addresses",
    "a stopped node keeps its public addresses",
    [PART, 'if (this.#moves) this.addresses.moves.releaseAll("this node is inactive");', ""],
    DAEMON_TEST,
  ),
  breakage(
    "taken-while-stopping-stays",
    "an address whose takeip ends after the node was stopped stays",
    [MOVES, "address.releaseNext || this.#host.mustNotHost();", "false;"],
    DAEMON_TEST,
  ),
  breakage(
    "recovery-keeps-addresses",
    "a node that is in recovery for ever keeps its addresses",
    [PART, 'this.addresses.moves.releaseAll("in recovery for too long");', ""],
    DAEMON_TEST,
  ),
  breakage(
    "held-file-too-late",
    "an address is written down after its takeip only",
    [MOVES, 'address.activity = "taking";\n    this.#writeHeld();', 'address.activity = "taking";'],
    MOVES_TEST,
  ),
  breakage(
    "two-events-for-an-address",
    "a release begins while the address is being taken",
    [MOVES, 'if (address.activity === "idle") return undefined;', "if (address) return undefined;"],
    MOVES_TEST,
  ),
  breakage(
    "tickles-once",
    "clients of a taken address are woken only once",
    ["src/failover/addresses/taken_address.ts", "const ROUND = 3;", "const ROUND = 1;"],
    MOVES_TEST,
  ),
  breakage(
    "fights-for-address",
    "two hosts that have the same address announce it for ever",
    [CONFLICTS, "look === undefined || look.told", "look === undefined"],
    CONFLICTS_TEST,
  ),
  breakage(
    "conflict-with-itself",
    "what another interface of this host says is taken for another host",
    [CONFLICTS, "!own.ok || own.value.has(hardwareAddress)", "!own.ok"],
    CONFLICTS_TEST,
  ),
  breakage(
    "tickles-lost-on-release",
    "connections to an address that is being released are forgotten",
    [
      CONNECTIONS,
      'return this.#isOurs(address) && address.activity !== "releasing";',
      "return true;",
    ],
    "src/failover/addresses/connections.test.ts",
  ),
  breakage(
    "list-for-own-address",
    "a node takes the list of another one for an address that it hosts",
    [CONNECTIONS, "if (!this.#isOurs(address)) address.tickles.replace", "address.tickles.replace"],
    "src/failover/addresses/connections.test.ts",
  ),
  breakage(
    "missing-interface-hosts",
    "an address can be hosted on an interface that does not exist",
    ["src/failover/addresses/interface_table.ts", "this.linkUp && !this.missing", "this.linkUp"],
    "src/failover/addresses/node_addresses.test.ts",
  ),
  breakage(
    "leaving-client-forgotten",
    "a connection whose client ends while its address is released is not told to the next host",
    [
      CONNECTIONS,
      "this.#staysHere(address)) address.tickles",
      "this.#isOurs(address)) address.tickles",
    ],
    "test/scenarios/scenarios.test.ts",
  ),
  breakage(
    "orphans-of-others",
    "a child takes down the addresses that another ctdbd wrote down",
    [ORPHANS, "held.value.pid !== parentPid || ", ""],
    "src/failover/addresses/orphans.test.ts",
  ),
  breakage(
    "orphans-under-living-daemon",
    "a child takes addresses down while another ctdbd runs",
    [ORPHANS, "if (this.#lock === undefined) {", "if (this.#lock === null) {"],
    "src/failover/addresses/orphans.test.ts",
  ),
  breakage(
    "secondary-addresses-lost",
    "what the kernel takes along with an address of a dead ctdbd is not put back",
    [ORPHANS, "if (lost.length === 0) {", "if (lost.length >= 0) {"],
    "src/failover/addresses/orphans.test.ts",
  ),
  breakage(
    "orphans-forgotten",
    "what a dead ctdbd wrote down goes with the first child that looked",
    [
      ORPHANS,
      "    this.#lock?.release();\n",
      "    this.#host.files.remove(this.#host.heldFile);\n    this.#lock?.release();\n",
    ],
    "test/scenarios/scenarios.test.ts",
  ),
  breakage(
    "checks-trust-ctdbd",
    "the recovery daemon does not see that the kernel lacks an address",
    [
      "src/cluster/address_checks.ts",
      "if (here === (pnn === ownPnn)) return [];",
      "if (!here) return [];",
    ],
    "src/cluster/address_checks.test.ts",
  ),
  breakage(
    "checks-without-end",
    "the recovery daemon asks for a takeover run each second for ever",
    ["src/cluster/address_checks.ts", "Math.min(2 * asked.waitMs, ASK_AGAIN_MAX_MS)", "0"],
    "src/cluster/address_checks.test.ts",
  ),
  breakage(
    "no-self-fence",
    "a leader that is cut off from the cluster lock keeps its addresses",
    [
      "src/cluster/self_fence.ts",
      "for (const { addr } of own) {",
      "for (const { addr } of own.slice(own.length)) {",
    ],
    "test/recovery/elections.test.ts",
  ),
];
