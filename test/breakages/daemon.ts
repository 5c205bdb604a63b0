/** Breakages of the daemon, limits aside; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const DAEMON_BREAKAGES: readonly Breakage[] = [
  {
    name: "ban-ends-and-that-is-it",
    breaks: "what was sent to a banned node that a recovery had taken in is lost",
    edits: [
      {
        file: "src/daemon/lifecycle/standing.ts",
        find: "if (!wasBanned || !vnnMap.valid) return;",
        replace: "if (wasBanned || !vnnMap.valid) return;",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "persistent-updates-forgotten",
    breaks: "no recovery when a client ends amidst persistent updates",
    edits: [
      {
        file: "src/daemon/routing/client_service.ts",
        find: "if (client.persistentUpdates > 0) {",
        replace: "if (client.persistentUpdates < 0) {",
      },
    ],
    tests: ["test/daemon/routing.test.ts"],
  },
  {
    name: "ban-ends-unfrozen",
    breaks: "a ban ends although not all databases are frozen",
    edits: [
      {
        file: "src/daemon/lifecycle/standing.ts",
        find: "if (!this.#d.freeze.frozen) {",
        replace: "if (this.#d.freeze === undefined) {",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "answered-twice",
    breaks: "what a handler answers a second time is heard",
    edits: [
      {
        file: "src/control/pending_replies.ts",
        find: "    this.#waiting.delete(pending);\n    pending.later(reply);\n",
        replace:
          "    this.#waiting.delete(pending);\n    pending.answered = false;\n    pending.later(reply);\n",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "no-reply-answered",
    breaks: "a control without reply of a node is answered",
    edits: [
      {
        file: "src/control/control_router.ts",
        find: "if (!noReply) this.#answerNode(srcnode, reqid, reply);",
        replace: "this.#answerNode(srcnode, reqid, reply);",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "packets-for-others",
    breaks: "a packet that is for another node is handled",
    edits: [
      {
        file: "src/membership/peer_agreement.ts",
        find: "if (destnode !== nodes.ownPnn) {",
        replace: "if (destnode < 0) {",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "packets-of-nobody",
    breaks: "a packet of a node that does not exist is handled",
    edits: [
      {
        file: "src/membership/peer_agreement.ts",
        find: "return nodes.exists(srcnode)",
        replace: "return srcnode >= 0",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "silence-while-talking",
    breaks: "packets of a node do not show that it is alive",
    edits: [
      {
        file: "src/daemon/routing/packet_input.ts",
        find: "if (entry !== undefined) entry.received += 1;",
        replace: "",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "tunnels-of-the-dead",
    breaks: "the tunnels of a client that has gone stay registered",
    edits: [
      {
        file: "src/daemon/routing/client_service.ts",
        find: "    tunnels.clientGone(client);\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "srvids-of-the-dead",
    breaks: "the srvids of a client that has gone stay registered",
    edits: [
      {
        file: "src/daemon/routing/client_service.ts",
        find: "    for (const { hi, lo } of client.srvids) registry.remove(hi, lo, client);\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "old-recoverd-ends-new",
    breaks: "the end of a recovery daemon that was replaced starts another one",
    edits: [
      {
        file: "src/daemon/lifecycle/recoverd_watch.ts",
        find: 'if (this.#stopped || this.#child !== child || typeof child === "string") return;',
        replace: 'if (this.#stopped || typeof child === "string") return;',
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "lost-leader-shown",
    breaks: "a leader whose node is lost is still shown to who asks",
    edits: [
      {
        file: "src/daemon/routing/leader_cache.ts",
        find: "if (this.#leader === pnn) this.#packet = undefined;",
        replace: "if (this.#leader < 0 * pnn) this.#packet = undefined;",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "generation-checked-once",
    breaks: "the generations are not looked at again after the check of the cluster lock",
    edits: [
      {
        file: "src/daemon/controls/recovery.ts",
        find: "const refused = probeProblem(clusterLock, outcome) ?? generationProblem(parts);",
        replace: "const refused = probeProblem(clusterLock, outcome);",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "normal-but-frozen",
    breaks: "the end of a recovery does not thaw a node that was frozen as a whole",
    edits: [
      {
        file: "src/daemon/controls/recovery.ts",
        find: "  if (freeze.frozen) freeze.thaw();\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "flags-of-lost-nodes",
    breaks: "flags of a node that is not connected are taken",
    edits: [
      {
        file: "src/daemon/controls/membership.ts",
        find: "  if ((nodes.flags(pnn) & NODE_FLAGS.DISCONNECTED) !== 0) return SUCCESS;\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "healthy-peer-unnoticed",
    breaks: "no recovery when another node becomes healthy while this one starts up",
    edits: [
      {
        file: "src/daemon/controls/membership.ts",
        find: 'if (after === 0 && state.runstateBefore("RUNNING")) {',
        replace: 'if (after < 0 && state.runstateBefore("RUNNING")) {',
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "banned-but-working",
    breaks: "a banned node goes on with its databases",
    edits: [
      {
        file: "src/daemon/lifecycle/standing.ts",
        find: "if (!wasBanned) this.#becomeInactive(",
        replace: "if (wasBanned) this.#becomeInactive(",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "thaw-in-between",
    breaks: "a freeze counts although a thaw came in between",
    edits: [
      {
        file: "src/daemon/lifecycle/node_freeze.ts",
        find: "if (outcome.ok && thaws === this.#thaws) this.#frozen = true;",
        replace: "if (outcome.ok && thaws >= 0) this.#frozen = true;",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "unregistered-tunnels",
    breaks: "a client sends into a tunnel that nobody here registered",
    edits: [
      {
        file: "src/daemon/routing/tunnel_router.ts",
        find: "    if (this.#registry.find(hi, lo).length === 0) {",
        replace: "    if (hi < 0) {",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "forged-source",
    breaks: "a client names the source node of its messages",
    edits: [
      {
        file: "src/daemon/routing/message_router.ts",
        find: "    packet.srcnode = this.#ownPnn;\n    packet.generation",
        replace: "    packet.generation",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "ids-in-use",
    breaks: "a request gets the number of one that still waits",
    edits: [
      {
        file: "src/control/request_ids.ts",
        find: "if (id !== 0 && !this.#inUse(id)) return id;",
        replace: "if (id !== 0 || this.#inUse(id)) return id;",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "forged-client",
    breaks: "a control that is passed on carries the client id that its client wrote",
    edits: [
      {
        file: "src/control/control_router.ts",
        find: "    packet.setU32(REQ_CONTROL_AT.CLIENT_ID, client.id);\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "handled-at-once",
    breaks: "a packet to this node is handled inside the call that sent it",
    edits: [
      {
        file: "src/daemon/routing/node_output.ts",
        find: "    this.#timers.soon(() => this.#handleLooped());",
        replace: "    this.#handleLooped();",
      },
    ],
    tests: ["test/daemon/routing.test.ts"],
  },
  {
    name: "monitored-while-recovering",
    breaks: "the monitor event runs in a recovery",
    edits: [
      {
        file: "src/daemon/lifecycle/health.ts",
        find: "if (state.recovering || nodes.ownInactive || freeze.frozen) {",
        replace: "if (nodes.ownInactive || freeze.frozen) {",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "one-timeout-is-enough",
    breaks: "the first monitor timeout makes the node unhealthy",
    edits: [
      {
        file: "src/daemon/lifecycle/health.ts",
        find: "if (this.#timeouts < limit) return false;",
        replace: "if (this.#timeouts < 0 * limit) return false;",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
  {
    name: "unhealthy-database-serves",
    breaks: "a node with an unhealthy persistent database starts up",
    edits: [
      {
        file: "src/daemon/lifecycle/health.ts",
        find: "if (unhealthy !== undefined) {",
        replace: "if (unhealthy !== undefined && unhealthy === '') {",
      },
    ],
    tests: ["test/daemon/standing.test.ts"],
  },
];
