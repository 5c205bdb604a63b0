/** Breakages of the recovery daemon's decisions and elections; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const CLUSTER_DECISIONS_BREAKAGES: readonly Breakage[] = [
  {
    name: "links-not-awaited",
    breaks:
      "a leader whose links come back recovers without the nodes whose links come a moment later",
    edits: [
      {
        file: "src/cluster/links_to_come.ts",
        find: "return nowMs - this.#waitingSinceMs <= WAIT_MS ? missing : undefined;",
        replace: "return nowMs < this.#waitingSinceMs ? missing : undefined;",
      },
    ],
    tests: ["src/cluster/links_to_come.test.ts"],
  },
  {
    name: "late-lock-answers",
    breaks: "the answer of an earlier attempt for the lock counts",
    edits: [
      {
        file: "src/cluster/election.ts",
        find: 'if (this.#state.name !== "locking" || this.#state.attempt !== attempt) return;',
        replace: "if (attempt < 0) return;",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "one-rival-broadcast",
    breaks: "one late broadcast of another leader calls an election",
    edits: [
      {
        file: "src/cluster/election.ts",
        find: "if (this.#rivals.heard(pnn, host.nowMs())) this.force(",
        replace: "if (this.#rivals.heard(pnn, host.nowMs()) || pnn >= 0) this.force(",
      },
    ],
    tests: ["src/cluster/election_rivals.test.ts"],
  },
  {
    name: "lock-without-the-role",
    breaks: "a node that may not lead any more leads with the lock that it got late",
    edits: [
      {
        file: "src/cluster/election.ts",
        find: '        if (host.canLead()) {\n          this.#setLeader(host.pnn, "it has taken',
        replace: '        if (host.pnn >= 0) {\n          this.#setLeader(host.pnn, "it has taken',
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "flags-of-the-disconnected",
    breaks: "a node that calls itself connected counts as such",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "      const kept = node.flags & NODE_FLAGS.DISCONNECTED;\n",
        replace: "      const kept = 0;\n",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "disagreeing-viewers-ignored",
    breaks: "nodes with other flags for a node are not corrected",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "if (at.length === 0) continue;",
        replace: "if (before === flags) continue;",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "modes-not-looked-at",
    breaks: "a node that is left in recovery mode is not recovered",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "if (mode !== undefined && mode !== RECOVERY_NORMAL) {",
        replace: "if (mode !== undefined && mode < 0 * RECOVERY_NORMAL) {",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "leads-without-lock",
    breaks: "a leader without the cluster lock goes on",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "if (this.#memory.lockHeld === false) {",
        replace: "if (this.#memory.lockHeld === null) {",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "silent-mode-is-normal",
    breaks: "a node whose recovery mode is not known counts as normal",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "    if (silent === undefined) return true;\n",
        replace: "    if (silent === undefined || silent >= 0) return true;\n",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "other-order-of-nodes",
    breaks: "nodes that list the nodes in another order are not noticed",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "      if (at >= 0) {\n        const theirs",
        replace: "      if (at >= 1e9) {\n        const theirs",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "other-number-of-nodes",
    breaks: "nodes that know another number of nodes are not noticed",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "if (map.length !== this.#nodes.length) {",
        replace: "if (map.length < 0) {",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "lost-lmaster-unnoticed",
    breaks: "a node of the vnn map that is gone is not noticed",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "    if (own.map.length !== expected.length) {",
        replace: "    if (own.map.length < 0) {",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "missing-lmaster-unnoticed",
    breaks: "an active lmaster that is not in the vnn map is not noticed",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "    if (absent !== undefined) {",
        replace: "    if (absent === null) {",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "other-generation-unnoticed",
    breaks: "a node of another generation is not noticed",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "  if (theirs.generation !== ours.generation) {",
        replace: "  if (theirs.generation < 0) {",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "self-ban-goes-on",
    breaks: "a leader that is about to ban itself goes on",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "goOn: memory.leading && capable && !odd && !selfBan",
        replace: "goOn: memory.leading && capable",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "incapable-leader",
    breaks: "a leader without the role does not yield",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "  if (memory.leading && !capable) {",
        replace: "  if (memory.leading && capable === undefined) {",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
  {
    name: "takeover-while-disabled",
    breaks: "a takeover run is started while they are disabled",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "if (!takeoverRunWanted || takeoverRunsDisabled) return;",
        replace: "if (!takeoverRunWanted) return;",
      },
    ],
    tests: ["src/cluster/decide.test.ts"],
  },
];
