/** Breakages of the recovery daemon and of membership; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const CLUSTER_BREAKAGES: readonly Breakage[] = [
  {
    name: "broken-row-unbroken",
    breaks: "records of a node count again although another one was in a recovery without it",
    edits: [
      {
        file: "src/recovery/run_recovery.ts",
        find: "return ok(others.length === 0 && generation !== INVALID_GENERATION ? generation : undefined);",
        replace:
          "return ok(generation !== INVALID_GENERATION && others.length < 9 ? generation : undefined);",
      },
    ],
    tests: ["test/recovery/run_recovery.test.ts"],
  },
  {
    name: "absent-nodes-forgotten",
    breaks:
      "records of a node count again although nodes are absent that may have recovered without it",
    edits: [
      {
        file: "src/membership/vnn_map.ts",
        find: "return all && generation === this.#countedGeneration;",
        replace: "return generation === this.#countedGeneration;",
      },
    ],
    tests: ["src/membership/vnn_map.test.ts"],
  },
  {
    name: "failed-recovery-forgotten",
    breaks: "a node counts a recovery as one of its own in which its records counted for nothing",
    edits: [
      {
        file: "src/membership/vnn_map.ts",
        find: "if (count) this.recordsCount();",
        replace: "this.recordsCount();",
      },
    ],
    tests: ["src/membership/vnn_map.test.ts"],
  },
  {
    name: "gone-leader-waited-for",
    breaks: "a node whose link to the leader is gone waits as for a leader that is silent",
    edits: [
      {
        file: "src/daemon/lifecycle/link_views.ts",
        find: "if (met && !leading && view.atMs >= goneMs + GONE_MS_MIN) return true;",
        replace: "if (met && !leading && view.atMs < goneMs) return true;",
      },
    ],
    tests: ["src/daemon/lifecycle/link_views.test.ts"],
  },
  {
    name: "gone-leader-not-asked-for",
    breaks: "what others see of a leader whose link is gone is asked at the next interval",
    edits: [
      {
        file: "src/daemon/lifecycle/missing_links.ts",
        find: "if (pnn === this.#leader) this.#hurry();",
        replace: "if (pnn < 0) this.#hurry();",
      },
    ],
    tests: ["src/daemon/lifecycle/missing_links.test.ts"],
  },
  {
    name: "dead-leader-disables",
    breaks: "takeover runs stay disabled for a leader that has died in one",
    edits: [
      {
        file: "src/cluster/recoverd.ts",
        find: "if (!inProgress && leader !== UNKNOWN_PNN) this.takeoverRuns.gate.leaderIs(leader);",
        replace: "if (!inProgress && leader < 0) this.takeoverRuns.gate.leaderIs(leader);",
      },
    ],
    tests: ["test/scenarios/scenarios.test.ts"],
  },
  {
    name: "all-answer-at-once",
    breaks: "in an election all who beat its message answer at the same moment",
    edits: [
      {
        file: "src/cluster/election.ts",
        find: "host.timers.after(byChance(host.random, limitMs), () => {",
        replace: "host.timers.after(limitMs, () => {",
      },
    ],
    tests: ["test/recovery/elections.test.ts"],
  },
  {
    name: "all-call-at-once",
    breaks: "all nodes that lose the leader call an election at the same moment",
    edits: [
      {
        file: "src/cluster/leader_connection.ts",
        find: "const SPREAD_MS = 4;",
        replace: "const SPREAD_MS = 0;",
      },
    ],
    tests: ["test/recovery/elections.test.ts"],
  },
  {
    name: "flags-told-to-all",
    breaks: "the leader tells flags also to those who have them",
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "if (viewer !== pnn && differs) at.push(viewer);",
        replace: "if (viewer !== pnn) at.push(viewer);",
      },
    ],
    tests: ["src/cluster/decide.test.ts", "test/recovery/elections.test.ts"],
  },
  {
    name: "all-are-asked-for-links",
    breaks: "each node of a large cluster asks all others when one is lost",
    edits: [
      {
        file: "src/daemon/lifecycle/missing_links.ts",
        find: "const QUESTIONED_MAX = 16;",
        replace: "const QUESTIONED_MAX = 1000;",
      },
    ],
    tests: ["src/daemon/lifecycle/missing_links.test.ts"],
  },
  {
    name: "lost-nodes-not-awaited",
    breaks:
      "addresses of a node that only the leader has lost are given away before it has let go of them",
    edits: [
      {
        file: "src/cluster/recoverd.ts",
        find: "awaited: () => this.#lostNodes.awaited(host.clock.monotonicMs()),",
        replace: "awaited: () => undefined,",
      },
    ],
    tests: ["test/scenarios/scenarios.test.ts"],
  },
  {
    name: "dead-nodes-awaited",
    breaks: "a leader waits for a node that nobody has heard lately",
    edits: [
      {
        file: "src/cluster/lost_nodes.ts",
        find: "<= latelyMs;",
        replace: ">= 0 && latelyMs > 0;",
      },
    ],
    tests: ["src/cluster/lost_nodes.test.ts"],
  },
  {
    name: "former-leader-enables",
    breaks: "a former leader enables the takeover runs that its successor has disabled",
    edits: [
      {
        file: "src/cluster/operation_gate.ts",
        find: 'if (leader === undefined || !this.#isOfAnother(leader)) this.#enable("enabled");',
        replace: 'this.#enable("enabled");',
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "epoch-ignored",
    breaks: "the leader acts on what it read before something changed",
    edits: [
      {
        file: "src/cluster/recoverd.ts",
        find: "if (epoch === this.#epoch) this.#actRemote(local, remote);",
        replace: "if (epoch <= this.#epoch) this.#actRemote(local, remote);",
      },
    ],
    tests: ["test/recovery/epoch.test.ts"],
  },
  {
    name: "flags-keep-the-epoch",
    breaks: "a change of flags or capabilities does not begin a new epoch of the recovery daemon",
    edits: [
      {
        file: "src/cluster/recoverd.ts",
        find: "if (this.#view.learn(local)) this.#beginEpoch();",
        replace: "this.#view.learn(local);",
      },
    ],
    tests: ["test/recovery/epoch.test.ts"],
  },
  {
    name: "leadership-keeps-the-epoch",
    breaks: "an election does not begin a new epoch of the recovery daemon",
    edits: [
      {
        file: "src/cluster/recoverd.ts",
        find: "#leadershipChanged(): void {\n    this.#beginEpoch();",
        replace: "#leadershipChanged(): void {",
      },
    ],
    tests: ["test/recovery/epoch.test.ts"],
  },
  {
    name: "credits-never-forgiven",
    breaks: "ban credits are never forgiven",
    edits: [
      {
        file: "src/cluster/culprits.ts",
        find: "nowMs - known.reportedMs > gracePeriodMs;",
        replace: "nowMs - known.reportedMs < -gracePeriodMs;",
      },
    ],
    tests: ["src/cluster/culprits.test.ts"],
  },
  {
    name: "slow-failures-forgiven",
    breaks: "the time of failing recoveries counts for forgiving",
    edits: [
      {
        file: "src/cluster/recoveries.ts",
        find: "      culprits.excludeTime(tookMs);\n",
        replace: "",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "disabled-while-running",
    breaks: "recoveries are disabled while one runs",
    edits: [
      {
        file: "src/cluster/operation_gate.ts",
        find: '    if (this.inProgress) return "busy";\n',
        replace: "",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "takeover-requests-unlimited",
    breaks: "any number of requests for takeover runs is kept",
    edits: [
      {
        file: "src/cluster/takeover_runs.ts",
        find: "if (this.#requests.length >= REQUESTS_MAX) this",
        replace: "if (REQUESTS_MAX < 0) this",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "others-stay-disabled",
    breaks: "takeover runs of other nodes stay disabled after a run",
    edits: [
      {
        file: "src/cluster/takeover_runs.ts",
        find: "      this.#disableOthers(connected, 0);\n",
        replace: "",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "requests-of-cancelled-runs",
    breaks: "who asked for a takeover run that was cancelled is never answered",
    edits: [
      {
        file: "src/cluster/takeover_runs.ts",
        find: "    this.#requests.unshift(...current.requests);\n",
        replace: "",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "flags-not-pushed",
    breaks: "a recovery goes on although an active node does not take the flags",
    edits: [
      {
        file: "src/cluster/recovery_run.ts",
        find: "if ((flags & NODE_FLAGS_INACTIVE) === 0) return problem;",
        replace: "if (flags < 0) return problem;",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "clients-not-told",
    breaks: "clients do not hear that a recovery is over",
    edits: [
      {
        file: "src/cluster/recovery_run.ts",
        find: "      client.sendMessage(BROADCAST_CONNECTED, SRVID.RECONFIGURE, EMPTY);\n",
        replace: "",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "one-interval-more",
    breaks: "a silent node is dead one interval too late",
    edits: [
      {
        file: "src/membership/keepalive.ts",
        find: "if (node.silentTicks >= limit) {",
        replace: "if (node.silentTicks > limit) {",
      },
    ],
    tests: ["test/daemon/links.test.ts"],
  },
  {
    name: "once-heard-always-alive",
    breaks: "a node that was heard once is never dead",
    edits: [
      { file: "src/membership/keepalive.ts", find: "      node.received = 0;\n", replace: "" },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "older-goes",
    breaks: "of two versions the older process goes",
    edits: [
      {
        file: "src/membership/keepalive.ts",
        find: "peer.uptime > own.uptime ||",
        replace: "peer.uptime < own.uptime ||",
      },
    ],
    tests: ["test/daemon/links.test.ts"],
  },
  {
    name: "lost-but-healthy",
    breaks: "a node that is lost counts as healthy",
    edits: [
      {
        file: "src/membership/node_table.ts",
        find: "entry.flags | NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY;",
        replace: "entry.flags | NODE_FLAGS.DISCONNECTED;",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "bans-although-disabled",
    breaks: "nodes are banned although EnableBans is 0",
    edits: [
      {
        file: "src/cluster/node_requests.ts",
        find: '    if (this.#view.tunable("EnableBans") === 0) {',
        replace: '    if (this.#view.tunable("EnableBans") < 0) {',
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "credits-outlive-recovery",
    breaks: "ban credits outlive a recovery that succeeded",
    edits: [{ file: "src/cluster/recoveries.ts", find: "    culprits.clear();\n", replace: "" }],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "leader-given-up-at-once",
    breaks: "a leader is given up for a link that breaks for a moment",
    edits: [
      {
        file: "src/cluster/leader_connection.ts",
        find: "if (nowMs - this.#goneMs < LEADER_GONE_MS || this.#call !== undefined) return;",
        replace: "if (LEADER_GONE_MS < 0 || this.#call !== undefined) return;",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "banned-by-followers",
    breaks: "a node that does not lead counts the BANNING messages",
    edits: [
      {
        file: "src/cluster/recoverd_messages.ts",
        find: "if (election.leading) blameAll(pnn);",
        replace: "blameAll(pnn);",
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "frozen-once-for-ever",
    breaks: "a stopped node that a recovery has thawed is not frozen again",
    edits: [
      {
        file: "src/cluster/node_requests.ts",
        find: '      this.#frozen = "no";\n      this.#client.control("SET_RECMODE"',
        replace: '      this.#client.control("SET_RECMODE"',
      },
    ],
    tests: ["test/recovery/recoverd_rules.test.ts"],
  },
  {
    name: "just-active-leads",
    breaks: "a node that was stopped wins the next election by its age",
    edits: [
      {
        file: "src/cluster/recoverd.ts",
        find: "if (!decision.active) this.#priorityTime = this.#host.clock.wallTime();\n    else this.#requests.databasesAreInUse();",
        replace: "if (decision.active) this.#requests.databasesAreInUse();",
      },
    ],
    tests: ["test/recovery/elections.test.ts"],
  },
  {
    name: "two-helpers",
    breaks: "a recovery helper that stayed after its report goes on beside the next",
    edits: [
      { file: "src/cluster/helper_process.ts", find: "    this.#last?.cancel();\n", replace: "" },
    ],
    tests: ["test/recovery/recovery_process.test.ts"],
  },
];
