/** Breakages of the limits of the databases; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const DATABASE_LIMITS_BREAKAGES: readonly Breakage[] = [
  {
    name: "parked-works-unlimited",
    breaks: "any number of works is parked for one database",
    edits: [
      {
        file: "src/database/record/chain_gate.ts",
        find: "this.#parkedWorks >= PARKED_WORKS_MAX * factor ||",
        replace: "this.#parkedWorks < 0 * PARKED_WORKS_MAX ||",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "parked-bytes-unlimited",
    breaks: "parked works of any size are kept for one database",
    edits: [
      {
        file: "src/database/record/chain_gate.ts",
        find: "this.#parkedBytes + work.bytes > PARKED_BYTES_MAX",
        replace: "this.#parkedBytes < 0 * PARKED_BYTES_MAX",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "deferred-attaches-unlimited",
    breaks: "any number of attaches waits for the end of a recovery",
    edits: [
      {
        file: "src/database/attach/attach_control.ts",
        find: "if (this.#deferred.size >= DEFERRED_ATTACHES_MAX) {",
        replace: "if (DEFERRED_ATTACHES_MAX < 0) {",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "updates-unlimited",
    breaks: "any number of updates waits for a persistent database",
    edits: [
      {
        file: "src/database/transactions/persistent_updates.ts",
        find: "this.#waiting.length >= UPDATES_WAITING_MAX ||",
        replace: "UPDATES_WAITING_MAX < 0 ||",
      },
    ],
    tests: ["src/database/transactions/update_record.test.ts"],
  },
  {
    name: "update-bytes-unlimited",
    breaks: "updates of any size wait for a persistent database",
    edits: [
      {
        file: "src/database/transactions/persistent_updates.ts",
        find: "bytes > UPDATES_WAITING_BYTES_MAX)",
        replace: "bytes < -UPDATES_WAITING_BYTES_MAX)",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "update-bytes-leak",
    breaks: "updates that were written still count as waiting",
    edits: [
      {
        file: "src/database/transactions/persistent_updates.ts",
        find: "    if (update === undefined) return;\n    this.#waitingBytes -= update.records.bytes.length;",
        replace: "    if (update === undefined) return;",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "waiting-calls-unlimited",
    breaks: "any number of calls waits for revokes and pindowns",
    edits: [
      {
        file: "src/database/calls/waiting_calls.ts",
        find: "this.#count >= DEFERRED_CALLS_MAX ||",
        replace: "DEFERRED_CALLS_MAX < 0 ||",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "waiting-bytes-unlimited",
    breaks: "calls of any size wait for revokes and pindowns",
    edits: [
      {
        file: "src/database/calls/waiting_calls.ts",
        find: "this.#bytes + call.bytes > DEFERRED_BYTES_MAX)",
        replace: "DEFERRED_BYTES_MAX < 0)",
      },
    ],
    tests: ["src/database/calls/waiting_calls.test.ts"],
  },
  {
    name: "sticky-records-unlimited",
    breaks: "any number of records is sticky",
    edits: [
      {
        file: "src/database/calls/sticky.ts",
        find: "      if (this.#records.size >= STICKY_RECORDS_MAX) return;\n",
        replace: "",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "traverses-unlimited",
    breaks: "any number of traverses runs",
    edits: [
      {
        file: "src/database/traverse/traverses.ts",
        find: "if (this.#started.size >= TRAVERSES_MAX) {",
        replace: "if (TRAVERSES_MAX < 0) {",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "walks-unlimited",
    breaks: "any number of traverses of other nodes is served",
    edits: [
      {
        file: "src/database/traverse/traverses.ts",
        find: "if (this.#walks.size >= TRAVERSES_MAX) return",
        replace: "if (TRAVERSES_MAX < 0) return",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "push-unlimited",
    breaks: "pushed records of any size wait to be stored",
    edits: [
      {
        file: "src/database/recovery/push.ts",
        find: "if (this.#waitingBytes + data.length > PUSH_WAITING_BYTES_MAX) {",
        replace: "if (PUSH_WAITING_BYTES_MAX < 0) {",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "databases-unlimited",
    breaks: "any number of databases is attached",
    edits: [
      {
        file: "src/database/attach/attach.ts",
        find: "if (this.#byId.size + this.#attaching.size >= DATABASES_MAX) {",
        replace: "if (DATABASES_MAX < 0) {",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
  {
    name: "attach-waiters-unlimited",
    breaks: "any number of packets waits for an attach",
    edits: [
      {
        file: "src/database/attach/attach.ts",
        find: "attaching.waiters.length >= ATTACH_WAITERS_MAX) return false;",
        replace: "ATTACH_WAITERS_MAX < 0) return false;",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
];
