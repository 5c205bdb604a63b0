/** Breakages of read-only copies and of answers to calls; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const DATABASE_COPIES_BREAKAGES: readonly Breakage[] = [
  {
    name: "revoke-in-any-generation",
    breaks: "a revoke of before a recovery goes on after it",
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: "    if (revoke.generation !== generation) {\n",
        replace: "    if (revoke.generation < 0 * generation) {\n",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "changed-record-granted",
    breaks: "a record that has changed during a revoke counts as taken back",
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: "if (header.rsnHi !== revoke.rsnHi || header.rsnLo !== revoke.rsnLo) {",
        replace: "if (header.rsnHi < 0) {",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "revoke-fails-for-ever",
    breaks: "a revoke that goes on failing asks for no recovery",
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: "const isTooMuch = revoke.failures % REVOKE_FAILURES_MAX === 0;",
        replace: "const isTooMuch = revoke.failures < 0 * REVOKE_FAILURES_MAX;",
      },
    ],
    tests: ["src/database/calls/revoke.test.ts"],
  },
  {
    name: "readers-at-once",
    breaks: "readers do not give those who write a second",
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: "    delayed.timer = this.#host.timers.after(READERS_AFTER_REVOKE_MS, () => {",
        replace: "    delayed.timer = this.#host.timers.after(0 * READERS_AFTER_REVOKE_MS, () => {",
      },
    ],
    tests: ["src/database/calls/revoke.test.ts"],
  },
  {
    name: "delayed-calls-lost-at-close",
    breaks: "delayed calls of a database that goes are never answered",
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: "      timer?.cancel();\n      this.#waiting.drop(calls, reason);",
        replace: "      timer?.cancel();",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "old-try-answers",
    breaks: "an answer to an earlier try of a revoke counts for this one",
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: 'if (revoke.state !== "asking" || revoke.failures !== attempt) return;',
        replace: 'if (revoke.state !== "asking") return;',
      },
    ],
    tests: ["src/database/calls/revoke.test.ts"],
  },
  {
    name: "pending-calls-miscounted",
    breaks: "calls that were answered still count as waiting",
    edits: [
      {
        file: "src/database/calls/replies.ts",
        find: "    if (statistics.pending_calls > 0) statistics.pending_calls -= 1;\n",
        replace: "",
      },
    ],
    tests: ["src/database/calls/client_calls.test.ts"],
  },
  {
    name: "unknown-call-functions",
    breaks: "a call of a function that does not exist succeeds",
    edits: [
      {
        file: "src/database/calls/replies.ts",
        find: "        this.call(clientId, reqid, CALL_FAILED, EMPTY, startedMs);\n        return;\n    }\n",
        replace:
          "        this.call(clientId, reqid, 0, EMPTY, startedMs);\n        return;\n    }\n",
      },
    ],
    tests: ["src/database/calls/client_calls.test.ts"],
  },
  {
    name: "limbo-without-recovery",
    breaks: "a record on its way that is not taken is forgotten",
    edits: [
      {
        file: "src/database/calls/node_refusals.ts",
        find: '    if (refused.operation !== "REQ_CALL") {',
        replace: "    if (refused.operation === undefined) {",
      },
    ],
    tests: ["src/database/calls/migrations.test.ts"],
  },
  {
    name: "too-long-for-a-packet",
    breaks: "a record that makes too long a packet is passed on",
    edits: [
      {
        file: "src/database/calls/replies.ts",
        find: "if (bytes <= PACKET_BYTES_MAX) return undefined;",
        replace: "if (bytes > 0) return undefined;",
      },
    ],
    tests: ["src/database/calls/replies.test.ts"],
  },
];
