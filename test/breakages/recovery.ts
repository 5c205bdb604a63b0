/** Breakages of a recovery; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const RECOVERY_BREAKAGES: readonly Breakage[] = [
  {
    name: "inactive-members",
    breaks: "nodes that say that they are inactive take part in a recovery",
    edits: [
      {
        file: "src/recovery/run_recovery.ts",
        find: "return itself !== undefined && (itself.flags & NODE_FLAGS_INACTIVE) === 0;",
        replace: "return itself !== undefined && NODE_FLAGS_INACTIVE !== 0;",
      },
    ],
    tests: ["test/recovery/elections.test.ts"],
  },
  {
    name: "one-failure-bans",
    breaks: "a node is banned for one failed attempt",
    edits: [
      {
        file: "src/recovery/run_recovery.ts",
        find: "    credits: new BanCredits(ATTEMPTS_MAX)",
        replace: "    credits: new BanCredits(1)",
      },
    ],
    tests: ["test/recovery/recovery_limits.test.ts"],
  },
  {
    name: "another-try-after-thaw",
    breaks: "a database is recovered again in a generation in which nodes have thawed it",
    edits: [
      {
        file: "src/recovery/recover_database.ts",
        find: "if (!thawed.ok) return err({ ...thawed.error, final: true });",
        replace: "if (!thawed.ok) return thawed;",
      },
    ],
    tests: ["test/recovery/run_recovery.test.ts"],
  },
  {
    name: "push-without-end",
    breaks: "any number of push buffers is under way",
    edits: [
      {
        file: "src/recovery/push.ts",
        find: "if (unconfirmed.length >= PUSH_BUFFERS_UNCONFIRMED_MAX) {",
        replace: "if (PUSH_BUFFERS_UNCONFIRMED_MAX < 0) {",
      },
    ],
    tests: ["test/recovery/recovery_limits.test.ts"],
  },
  {
    name: "all-at-once",
    breaks: "any number of databases is recovered at the same time",
    edits: [
      {
        file: "src/recovery/turnstile.ts",
        find: "if (this.#running >= this.#limit) await",
        replace: "if (this.#limit < 0) await",
      },
    ],
    tests: ["test/recovery/recovery_limits.test.ts"],
  },
  {
    name: "any-flags-agree",
    breaks: "a database is recovered that is persistent on one node only",
    edits: [
      {
        file: "src/recovery/database_union.ts",
        find: "if (known.flags !== flags) {",
        replace: "if (known.flags < 0) {",
      },
    ],
    tests: ["test/recovery/run_recovery.test.ts"],
  },
  {
    name: "readonly-flag-differs",
    breaks: "a recovery fails when a database is READONLY on one node only",
    edits: [
      {
        file: "src/recovery/database_union.ts",
        find: "database.flags & ~(DB_FLAGS.READONLY | DB_FLAGS.STICKY);",
        replace: "database.flags & ~DB_FLAGS.STICKY;",
      },
    ],
    tests: ["test/recovery/run_recovery.test.ts"],
  },
  {
    name: "lost-records-unnoticed",
    breaks: "a recovery goes on when not all records of a node have arrived",
    edits: [
      {
        file: "src/recovery/pull.ts",
        find: "if (answer.value.data !== records) {",
        replace: "if (answer.value.data < 0) {",
      },
    ],
    tests: ["test/recovery/recovery_limits.test.ts"],
  },
  {
    name: "lost-pushes-unnoticed",
    breaks: "a recovery goes on when a node has not stored all records",
    edits: [
      {
        file: "src/recovery/push.ts",
        find: "([, { data }]) => data !== sent)",
        replace: "([, { data }]) => data < 0)",
      },
    ],
    tests: ["test/recovery/run_recovery.test.ts"],
  },
  {
    name: "records-of-other-databases",
    breaks: "records of another database are merged",
    edits: [
      {
        file: "src/recovery/record_table.ts",
        find: "if (id !== db_id) {",
        replace: "if (id < 0) {",
      },
    ],
    tests: ["src/recovery/record_table.test.ts"],
  },
  {
    name: "dead-node-banned",
    breaks: "nobody is banned when the worst node has become inactive by itself",
    edits: [
      {
        file: "src/recovery/run_recovery.ts",
        find: "      credits.forgive(pnn);\n      continue;",
        replace: "      return undefined;",
      },
    ],
    tests: ["test/recovery/recovery_limits.test.ts"],
  },
  {
    name: "buffers-of-any-size",
    breaks: "a RecBufferSizeLimit of any size is believed",
    edits: [
      {
        file: "src/recovery/run_recovery.ts",
        find: "Math.min(Math.max(limit, PUSH_BUFFER_BYTES_MIN), PUSH_BUFFER_BYTES_MAX)",
        replace: "limit + 0 * PUSH_BUFFER_BYTES_MIN * PUSH_BUFFER_BYTES_MAX",
      },
    ],
    tests: ["test/recovery/recovery_limits.test.ts"],
  },
  {
    name: "wiped-only-here",
    breaks: "only one node empties a database before the records are pushed",
    edits: [
      {
        file: "src/recovery/recover_database.ts",
        find: 'askEachBlaming(context, "WIPE_DATABASE", transaction);',
        replace: 'askEach(context, "WIPE_DATABASE", transaction, context.pnns.slice(0, 1));',
      },
    ],
    tests: ["test/recovery/run_recovery.test.ts"],
  },
];
