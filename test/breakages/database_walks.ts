/** Breakages of vacuums and traverses; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const DATABASE_WALKS_BREAKAGES: readonly Breakage[] = [
  {
    name: "traverse-of-nobody",
    breaks: "a traverse is started for no client",
    edits: [
      {
        file: "src/database/traverse/traverses.ts",
        find: '    if (from.clientId === 0) return failure("No client found");\n',
        replace: "",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "unhealthy-traversed",
    breaks: "an unhealthy database is read by a traverse",
    edits: [
      {
        file: "src/database/traverse/traverses.ts",
        find: 'this.#host.tunable("AllowUnhealthyDBRead") === 0',
        replace: 'this.#host.tunable("AllowUnhealthyDBRead") < 0',
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "walks-for-lost-nodes",
    breaks: "a walk goes on for a node that is lost",
    edits: [
      {
        file: "src/database/traverse/traverses.ts",
        find: "    for (const walk of this.#walks) if (walk.request.pnn === pnn) this.#stop(walk);\n",
        replace: "",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "traverse-waits-for-the-lost",
    breaks: "a traverse waits for a node that is lost",
    edits: [
      {
        file: "src/database/traverse/traverses.ts",
        find: "      if (!started.waitsFor.delete(pnn)) continue;",
        replace: "      if (pnn >= 0) continue;",
      },
    ],
    tests: ["src/database/controls.test.ts"],
  },
  {
    name: "walk-outlives-its-client",
    breaks: "the other nodes are not told that the client of a traverse has gone",
    edits: [
      {
        file: "src/database/traverse/traverses.ts",
        find: "      this.#forget(started);\n      this.#killEverywhere(started);\n    }\n  }\n\n  nodeLost",
        replace: "      this.#forget(started);\n    }\n  }\n\n  nodeLost",
      },
    ],
    tests: ["src/database/controls.test.ts"],
  },
  {
    name: "record-counts-everywhere",
    breaks: "a traverse shows a record of every node that has a copy",
    edits: [
      {
        file: "src/database/traverse/local_traverse.ts",
        find: "if (ltdbDmaster(data, 0) !== this.#host.pnn) return true;",
        replace: "if (ltdbDmaster(data, 0) < 0 * this.#host.pnn) return true;",
      },
    ],
    tests: ["src/database/controls.test.ts"],
  },
  {
    name: "kill-kills-all",
    breaks: "TRAVERSE_KILL ends other traverses of the database",
    edits: [
      {
        file: "src/database/traverse/traverses.ts",
        find: "if (walk.request.clientReqid !== request.reqid) continue;",
        replace: "",
      },
    ],
    tests: ["src/database/controls.test.ts"],
  },
  {
    name: "vacuum-in-any-generation",
    breaks: "a vacuum goes on in a new generation",
    edits: [
      {
        file: "src/database/vacuum/run.ts",
        find: '    if (this.#generation !== this.#host.generation()) return "the generation has changed";\n',
        replace: "",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "vacuum-without-end",
    breaks: "a vacuum may take any time",
    edits: [
      {
        file: "src/database/vacuum/run.ts",
        find: '      this.cancel("it took longer than VacuumMaxRunTime");\n',
        replace: "",
      },
    ],
    tests: ["test/database/vacuum.test.ts"],
  },
  {
    name: "vacuum-in-a-recovery",
    breaks: "a vacuum runs in a recovery",
    edits: [
      {
        file: "src/database/vacuum/run.ts",
        find: '  if (host.recovering()) return "the cluster recovers";\n',
        replace: "",
      },
    ],
    tests: ["test/database/vacuum.test.ts"],
  },
  {
    name: "vacuum-of-an-inactive-node",
    breaks: "a vacuum runs on a stopped or banned node",
    edits: [
      {
        file: "src/database/vacuum/run.ts",
        find: 'return "this node is inactive";',
        replace: "return undefined;",
      },
    ],
    tests: ["test/database/vacuum.test.ts"],
  },
  {
    name: "changed-nodes-unnoticed",
    breaks: "a vacuum deletes although a node has come since the others were asked",
    edits: [
      {
        file: "src/database/vacuum/delete_everywhere.ts",
        find: "if (others?.join() !== this.#asked.join()) {",
        replace: "if (others === undefined) {",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "strange-answers-believed",
    breaks: "an answer about other records counts as consent",
    edits: [
      {
        file: "src/database/vacuum/delete_everywhere.ts",
        find: 'if (slot < 0) return "it answers with a record that it was not asked about";',
        replace: "if (slot < 0) continue;",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "cursor-error-ignored",
    breaks: "a torn answer of a node counts as consent to all deletions",
    edits: [
      {
        file: "src/database/vacuum/delete_everywhere.ts",
        find: "    return cursor.error;\n",
        replace: "    return undefined;\n",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "copy-of-readers-deleted",
    breaks: "a copy that is being taken back is deleted",
    edits: [
      {
        file: "src/database/vacuum/try_delete.ts",
        find: "      if (((own.flags | given.flags) & RECORD_FLAGS_RO) !== 0) return false;\n",
        replace: "",
      },
    ],
    tests: ["src/database/controls.test.ts"],
  },
  {
    name: "data-deleted",
    breaks: "a TRY_DELETE of a record with data is obeyed",
    edits: [
      {
        file: "src/database/vacuum/try_delete.ts",
        find: 'if (dataLength !== LTDB_HEADER_BYTES || kind !== "volatile") return false;',
        replace: 'if (kind !== "volatile") return false;',
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "vacuum-collides",
    breaks: "two vacuums run at a time",
    edits: [
      {
        file: "src/database/vacuum/schedule.ts",
        find: "    if (this.#running !== undefined) {\n      return `",
        replace: "    if (this.#running === null) {\n      return `",
      },
    ],
    tests: ["test/database/vacuum.test.ts"],
  },
  {
    name: "overflow-forgotten",
    breaks: "records that found no place in the queue are not found by a walk",
    edits: [
      {
        file: "src/database/vacuum/schedule.ts",
        find: " || database.deleteQueue.overflows > 0;",
        replace: ";",
      },
    ],
    tests: ["test/database/copies_and_vacuum.test.ts"],
  },
  {
    name: "gate-closed-after-repack",
    breaks: "the gate stays closed after a repack",
    edits: [
      {
        file: "src/database/vacuum/repack.ts",
        find: "    this.#packing = undefined;\n    this.#openGate();\n    const",
        replace: "    this.#packing = undefined;\n    const",
      },
    ],
    tests: ["src/database/vacuum/repack.test.ts"],
  },
];
