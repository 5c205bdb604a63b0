/** Breakages of the databases, limits aside; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const DATABASE_BREAKAGES: readonly Breakage[] = [
  {
    name: "parked-packets-not-looked-at-again",
    breaks: "a packet that waited for a lock is served although a recovery came in between",
    edits: [
      {
        file: "src/database/calls/node_calls.ts",
        find: "if (!record.isOfDatabase || !this.#isOfThisGeneration(record.packet)) return true;",
        replace: "",
      },
    ],
    tests: ["src/database/calls/node_calls.test.ts"],
  },
  {
    name: "waiting-calls-not-looked-at-again",
    breaks:
      "a call that waited for a revoke or an attach is served although a recovery came in between",
    edits: [
      {
        file: "src/database/calls/node_calls.ts",
        find: "if (this.#isOfThisGeneration(packet)) this.#keyed(operation, packet);",
        replace: "this.#keyed(operation, packet);",
      },
    ],
    tests: ["src/database/calls/node_calls.test.ts"],
  },
  {
    name: "hops-not-counted",
    breaks: "a call that is passed on does not count its hops",
    edits: [
      {
        file: "src/database/calls/node_calls.ts",
        find: "    packet.setU32(REQ_CALL_AT.HOPCOUNT, hopcount);\n",
        replace: "",
      },
    ],
    tests: ["src/database/calls/node_calls.test.ts"],
  },
  {
    name: "late-call-answers-count",
    breaks: "an answer to a call of before a recovery is taken",
    edits: [
      {
        file: "src/daemon/routing/packet_input.ts",
        find: "        if (!this.#callAllowed(packet)) return;\n        node.reply_call += 1;",
        replace: "        node.reply_call += 1;",
      },
    ],
    tests: ["test/daemon/packet_input.test.ts"],
  },
  {
    name: "records-for-lost-nodes",
    breaks: "a record is given to a node that is not connected",
    edits: [
      {
        file: "src/database/calls/migrations.ts",
        find: "if (!this.#host.nodeConnected(newDmaster)) {",
        replace: "if (newDmaster < 0) {",
      },
    ],
    tests: ["src/database/calls/migrations.test.ts"],
  },
  {
    name: "dmaster-requests-anywhere",
    breaks: "a REQ_DMASTER is served by a node that is not the lmaster",
    edits: [
      {
        file: "src/database/calls/migrations.ts",
        find: "if (lmaster !== pnn) {",
        replace: "if (lmaster < 0) {",
      },
    ],
    tests: ["src/database/calls/migrations.test.ts"],
  },
  {
    name: "dmaster-replies-from-anybody",
    breaks: "a REPLY_DMASTER of a node that is not the lmaster is believed",
    edits: [
      {
        file: "src/database/calls/migrations.ts",
        find: "if (packet.srcnode !== lmaster) {",
        replace: "if (lmaster < 0) {",
      },
    ],
    tests: ["src/database/calls/migrations.test.ts"],
  },
  {
    name: "recovery-attach-any-time",
    breaks: "the recovery's attach is taken while no recovery runs",
    edits: [
      {
        file: "src/database/attach/attach_control.ts",
        find: "if ((from.flags & ATTACH_RECOVERY) !== 0 && !this.#host.recovering()) {",
        replace: "if (name === undefined) {",
      },
    ],
    tests: ["src/database/attach/attach.test.ts"],
  },
  {
    name: "deferred-attach-of-a-lost-client",
    breaks: "the attach of a client that has gone is answered later",
    edits: [
      {
        file: "src/database/attach/attach_control.ts",
        find: "      deferred.timer.cancel();\n      this.#deferred.delete(deferred);\n    }",
        replace: "      deferred.timer.cancel();\n    }",
      },
    ],
    tests: ["src/database/attach/attach.test.ts"],
  },
  {
    name: "any-transaction-id",
    breaks: "work of one recovery is taken in the transaction of another",
    edits: [
      {
        file: "src/database/recovery/freeze.ts",
        find: "if (id !== this.#transactionId) {",
        replace: "if (id < 0) {",
      },
    ],
    tests: ["src/database/recovery/freeze.test.ts"],
  },
  {
    name: "gate-open-while-frozen",
    breaks: "calls go on in a frozen database",
    edits: [
      {
        file: "src/database/recovery/freeze.ts",
        find: "    this.#database.gate.close();\n",
        replace: "",
      },
    ],
    tests: ["src/database/vacuum/repack.test.ts"],
  },
  {
    name: "holders-by-old-flags",
    breaks: "a member of the vnn map that is known as banned counts as one without records",
    edits: [
      {
        file: "src/database/vacuum/holders.ts",
        find: "host.vnnMap().includes(pnn) ? !this.#isDeleted(pnn) : !this.#isWorthless(pnn);",
        replace: "!this.#isWorthless(pnn);",
      },
    ],
    tests: ["src/database/vacuum/holders.test.ts"],
  },
  {
    name: "short-records-pulled",
    breaks: "a pull sends what is too short for a record",
    edits: [
      {
        file: "src/database/recovery/pull.ts",
        find: "if (dataLength >= LTDB_HEADER_BYTES) {",
        replace: "if (dataLength >= 0) {",
      },
    ],
    tests: ["src/database/recovery/recovery.test.ts"],
  },
  {
    name: "late-updates-written",
    breaks: "an update of an earlier generation is written",
    edits: [
      {
        file: "src/database/transactions/update_record.ts",
        find: "if (generation === undefined || generation === current) return undefined;",
        replace: "if (current >= 0) return undefined;",
      },
    ],
    tests: ["src/database/transactions/update_record.test.ts"],
  },
  {
    name: "same-number-other-data",
    breaks: "an update with the sequence number that is there replaces other data",
    edits: [
      {
        file: "src/database/transactions/update_record.ts",
        find: "return given.isNewerThan(own) || sameBytes(ownData, data);",
        replace: "return given.isNewerThan(own) || ownData.length + data.length >= 0;",
      },
    ],
    tests: ["src/database/transactions/update_record.test.ts"],
  },
  {
    name: "short-updates-written",
    breaks: "an update of a record without a header is taken",
    edits: [
      {
        file: "src/database/transactions/update_record.ts",
        find: "      this.#lateProblem(from) ??\n      shortRecordProblem(request.records);",
        replace: "      this.#lateProblem(from);",
      },
    ],
    tests: ["src/database/transactions/update_record.test.ts"],
  },
  {
    name: "detach-in-a-recovery",
    breaks: "a database is detached in the middle of a recovery",
    edits: [
      {
        file: "src/database/database_set.ts",
        find: '    if (this.#host.recovering()) return failure("DB detach denied while in recovery");\n',
        replace: "",
      },
    ],
    tests: ["test/database/refused.test.ts"],
  },
  {
    name: "detach-in-a-commit",
    breaks: "a database is detached while its commit writes",
    edits: [
      {
        file: "src/database/database_set.ts",
        find: 'if (database.freeze.transaction === "committing") {',
        replace: "if (database.dbId < 0) {",
      },
    ],
    tests: ["test/database/refused.test.ts"],
  },
  {
    name: "lmaster-less-node-lost",
    breaks: "no recovery for the loss of a node of the vnn map that was inactive just before",
    edits: [
      {
        file: "src/database/database_set.ts",
        find: "const tookPart = wasActive || this.#host.vnnMap().includes(pnn);",
        replace: "const tookPart = wasActive;",
      },
    ],
    tests: ["test/database/refused.test.ts"],
  },
  {
    name: "commits-outlive-the-daemon",
    breaks: "a commit is not answered when the daemon ends",
    edits: [
      { file: "src/database/database_set.ts", find: "    this.#commits.close();\n", replace: "" },
    ],
    tests: ["test/database/refused.test.ts"],
  },
  {
    name: "resent-under-the-old-id",
    breaks: "a call is sent again under the request id that it had before the recovery",
    edits: [
      {
        file: "src/database/calls/pending_calls.ts",
        find: "    pending.reqid = this.#host.newReqid();\n",
        replace: "",
      },
    ],
    tests: ["src/database/calls/client_calls.test.ts"],
  },
  {
    name: "answers-of-other-keys",
    breaks: "a record answers a call for another key",
    edits: [
      {
        file: "src/database/calls/pending_calls.ts",
        find: "return sameBytes(pending.packet.slice(REQ_CALL_AT.KEY, keyLength), key) ? pending : undefined;",
        replace: "return keyLength >= 0 && sameBytes(key, key) ? pending : undefined;",
      },
    ],
    tests: ["test/database/refused.test.ts"],
  },
  {
    name: "long-database-names",
    breaks: "a database name of any length is taken",
    edits: [
      {
        file: "src/database/attach/attach.ts",
        find: "if (bytes > DATABASE_NAME_BYTES_MAX) {",
        replace: "if (DATABASE_NAME_BYTES_MAX < 0) {",
      },
    ],
    tests: ["src/database/attach/attach.test.ts"],
  },
  {
    name: "frozen-without-waiting-for-commit",
    breaks: "a freeze is answered while a commit writes",
    edits: [
      {
        file: "src/database/recovery/freeze.ts",
        find: '    if (this.#transaction === "committing") {\n      this.#afterCommit.push(() => this.freeze(reply));\n      return;\n    }\n',
        replace: "",
      },
    ],
    tests: ["src/database/recovery/freeze.test.ts"],
  },
  {
    name: "waited-longest-runs-last",
    breaks: "calls that waited longer run later",
    edits: [
      {
        file: "src/database/calls/waiting_calls.ts",
        find: "    this.#ready.add(queue.splice(0));\n",
        replace: "    this.#ready.add(queue.splice(0).reverse());\n",
      },
    ],
    tests: ["src/database/calls/waiting_calls.test.ts"],
  },
];
