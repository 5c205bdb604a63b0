/** Breakages of the parts that a node is joined from, of its events, and of how node links are made. */
import type { Breakage } from "./breakage.ts";

export const DAEMON_PARTS_BREAKAGES: readonly Breakage[] = [
  {
    name: "anybody-is-any-node",
    breaks: "who connects from any address is taken for a node",
    edits: [
      {
        file: "src/transport/tcp_node_transport.ts",
        find: "address === from",
        replace: 'address !== "" && from !== ""',
      },
    ],
    tests: ["src/transport/tcp_node_transport.test.ts"],
  },
  {
    name: "answers-every-time",
    breaks: "a node that connects to us is connected to at once, however often it does",
    edits: [
      {
        file: "src/transport/connect_attempts.ts",
        find: "sinceMs >= intervalMs",
        replace: "sinceMs >= 0 * intervalMs",
      },
    ],
    tests: ["test/daemon/links.test.ts"],
  },
  {
    name: "kept-out-but-connected",
    breaks: "a node that is kept out counts as connected when it connects again",
    edits: [
      {
        file: "src/transport/node_peer.ts",
        find: "    if (this.#keptOut) {\n      this.#s.owner.onProbation",
        replace: "    if (this.node.pnn < 0) {\n      this.#s.owner.onProbation",
      },
    ],
    tests: ["test/daemon/peer_agreement.test.ts"],
  },
  {
    name: "outsiders-ask-anything",
    breaks: "a node that is kept out may ask for everything",
    edits: [
      {
        file: "src/control/control_router.ts",
        find: "if (name !== undefined && CONTROLS[name].outsiders)",
        replace: "if (name !== undefined && CONTROLS[name].opcode >= 0)",
      },
    ],
    tests: ["test/daemon/peer_agreement.test.ts", "test/daemon/forged.test.ts"],
  },
  {
    name: "replies-of-anybody",
    breaks: "a control is answered by a node that was not asked",
    edits: [
      {
        file: "src/control/pending_controls.ts",
        find: "if (pending === undefined || pending.pnn !== fromPnn) return undefined;",
        replace: "if (pending === undefined || fromPnn < 0) return undefined;",
      },
    ],
    tests: ["test/daemon/controls.test.ts"],
  },
  {
    name: "wanted-recovery-forgotten",
    breaks: "a recovery that was asked for during one does not follow it",
    edits: [
      {
        file: "src/daemon/node_core.ts",
        find: "    if (wanted?.generation === this.vnnMap.generation) this.forceRecovery(wanted.reason);\n",
        replace: "    void wanted;\n",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "requests-to-the-lost",
    breaks: "what was asked of a node that is lost waits for its time",
    edits: [
      {
        file: "src/daemon/membership_part.ts",
        find: "    this.#n.controls().nodeLost(pnn);\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/controls.test.ts"],
  },
  {
    name: "event-time-in-seconds",
    breaks: "an event has EventScriptTimeout milliseconds",
    edits: [
      {
        file: "src/daemon/lifecycle/node_events.ts",
        find: '("EventScriptTimeout") * 1000',
        replace: '("EventScriptTimeout")',
      },
    ],
    tests: ["src/daemon/lifecycle/node_events.test.ts"],
  },
  {
    name: "events-outlive-the-node",
    breaks: "the event that runs is not cancelled when the node ends",
    edits: [
      {
        file: "src/daemon/lifecycle/health.ts",
        find: "    this.#event?.cancel();\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "cancelled-event-told",
    breaks: "the status of an event that was cancelled is told",
    edits: [
      {
        file: "src/services/no_events.ts",
        find: "if (!cancelled) done(0);",
        replace: "done(cancelled ? 1 : 0);",
      },
    ],
    tests: ["src/services/no_events.test.ts"],
  },
];
