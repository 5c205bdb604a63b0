/** Breakages of recoveries, pushes and health of the databases; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const DATABASE_REST_BREAKAGES: readonly Breakage[] = [
  {
    name: "parked-push-of-other-generations",
    breaks: "a pushed copy that waited through a recovery is stored",
    edits: [
      {
        file: "src/database/transactions/push_record.ts",
        find: "    if (this.#host.generation() !== this.#generation) {\n      this.#reply(SUCCESS);\n      return true;\n    }\n",
        replace: "",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "push-to-the-master",
    breaks: "a pushed copy replaces a record of this node",
    edits: [
      {
        file: "src/database/transactions/push_record.ts",
        find: "    if (own.dmaster === this.#host.pnn) return true;\n",
        replace: "",
      },
    ],
    tests: ["src/database/transactions/transaction_commit.test.ts"],
  },
  {
    name: "health-not-cleared",
    breaks: "a database stays unhealthy after a recovery with healthy nodes",
    edits: [
      {
        file: "src/database/attach/persistent_health.ts",
        find: "if (reason === undefined || healthyNodes > 0) return undefined;",
        replace: "if (reason === undefined || healthyNodes < 0) return undefined;",
      },
    ],
    tests: ["src/database/attach/attach.test.ts"],
  },
  {
    name: "health-cleared-by-nobody",
    breaks: "a database is healthy after a recovery without healthy nodes",
    edits: [
      {
        file: "src/database/attach/persistent_health.ts",
        find: "if (reason === undefined || healthyNodes > 0) return undefined;",
        replace: "return undefined;",
      },
    ],
    tests: ["src/database/attach/attach.test.ts"],
  },
  {
    name: "health-updates-collide",
    breaks: "updates of the health file collide",
    edits: [
      {
        file: "src/database/attach/persistent_health.ts",
        find: "    if (this.#updating) return;\n",
        replace: "",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "seqnum-echo",
    breaks: "a move of the sequence number that came from others is passed on",
    edits: [
      {
        file: "src/database/transactions/sequence_numbers.ts",
        find: "    this.#known = (this.#known + 1) >>> 0;\n",
        replace: "",
      },
    ],
    tests: ["src/database/controls.test.ts"],
  },
  {
    name: "pull-thawed",
    breaks: "a database that is not frozen is pulled",
    edits: [
      {
        file: "src/database/recovery/recovery_controls.ts",
        find: "        if (problem !== undefined) return failure(problem);\n        new Pull(",
        replace: "        new Pull(",
      },
    ],
    tests: ["src/database/recovery/recovery.test.ts"],
  },
];
