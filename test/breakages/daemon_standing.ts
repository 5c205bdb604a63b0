/** Breakages of what a node says of itself and does at its end; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const DAEMON_STANDING_BREAKAGES: readonly Breakage[] = [
  {
    name: "shutdown-waits-for-ever",
    breaks: "a shutdown waits for a takeover run that nobody makes",
    edits: [
      { file: "src/daemon/lifecycle/shutdown_takeover.ts", find: "    end(false);\n", replace: "" },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "lock-mismatch-tolerated",
    breaks: "a leader with another cluster lock is followed",
    edits: [
      {
        file: "src/daemon/controls/recovery.ts",
        find: "    if (theirs === parts.clusterLock) return runEvent();",
        replace: "    return runEvent();",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "event-timeout-counts",
    breaks: "a recovery waits for a script that hangs in vain",
    edits: [
      {
        file: "src/daemon/lifecycle/node_events.ts",
        find: '  "recovered",\n  "takeip",',
        replace: '  "takeip",',
      },
    ],
    tests: ["src/daemon/lifecycle/node_events.test.ts", "test/daemon/standing.test.ts"],
  },
  {
    name: "event-in-recovery",
    breaks: "addresses are taken in a recovery",
    edits: [
      {
        file: "src/daemon/lifecycle/node_events.ts",
        find: "recovering() && !ALLOWED_IN_RECOVERY.has(event)",
        replace: "recovering() && event === 'monitor'",
      },
    ],
    tests: ["src/daemon/lifecycle/node_events.test.ts"],
  },
  {
    name: "old-problem-kept",
    breaks: "a healthy node says why it was not",
    edits: [
      {
        file: "src/daemon/lifecycle/health.ts",
        find: "if (status === 0) this.#problem = undefined;",
        replace: "if (status === 0) this.#timeouts = 0;",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "map-set-any-time",
    breaks: "the vnn map is changed while nobody recovers",
    edits: [
      {
        file: "src/daemon/controls/membership.ts",
        find: 'if (!state.recovering) return failure("attempt to set the vnn map when not in recovery");',
        replace: "",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "ban-of-others",
    breaks: "a ban of another node bans this one",
    edits: [
      {
        file: "src/daemon/controls/membership.ts",
        find: "      if (pnn !== nodes.ownPnn) {",
        replace: "      if (pnn < 0) {",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "own-flags-from-others",
    breaks: "others decide about this node's flags",
    edits: [
      {
        file: "src/daemon/controls/membership.ts",
        find: "  if (pnn === ownPnn) return SUCCESS;\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "own-line-changes",
    breaks: "a nodes file with another address for this node is taken",
    edits: [
      {
        file: "src/daemon/controls/membership.ts",
        find: "        if (wrong !== undefined) {",
        replace: "        if (wrong === null) {",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "old-leader-shown",
    breaks: "a leader that has fallen silent is shown",
    edits: [
      {
        file: "src/daemon/routing/leader_cache.ts",
        find: "return ageMs < LEADER_MESSAGE_MS ? this.#packet : undefined;",
        replace: "return ageMs >= 0 * LEADER_MESSAGE_MS ? this.#packet : undefined;",
      },
    ],
    tests: ["test/daemon/routing.test.ts"],
  },
  {
    name: "silent-recoverd-lives",
    breaks: "a silent recovery daemon goes on beside the new one",
    edits: [
      {
        file: "src/daemon/lifecycle/recoverd_watch.ts",
        find: '      this.#kill("it was silent for too long");\n',
        replace: "      this.#child = undefined;\n",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "watch-after-stop",
    breaks: "a recovery daemon is started after the end",
    edits: [
      {
        file: "src/daemon/lifecycle/recoverd_watch.ts",
        find: "    this.#restart?.cancel();\n    this.#silence?.cancel();\n    this.#restart = undefined;",
        replace: "    this.#silence?.cancel();\n    this.#restart = undefined;",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "inactive-pid-lives",
    breaks: "a process of an inactive node is not cut off",
    edits: [
      {
        file: "src/daemon/controls/clients.ts",
        find: '        parts.dropClient(newest, "its node is banned or stopped");\n',
        replace: "",
      },
    ],
    tests: ["test/daemon/controls.test.ts"],
  },
];
