/**
 * Deliberate breakages that tests of the gate catch: proof that these can fail. What needs a whole
 * cluster to be seen is in test/sim/mutant_list.ts.
 */
import type { Mutant } from "../sim/mutants.ts";

export interface Breakage extends Mutant {
  /** The quick tests that catch it. */
  readonly tests: readonly string[];
}

const POWER_FAILURE = ["test/tdb/power_failure.test.ts"];

export const BREAKAGES: readonly Breakage[] = [
  {
    name: "journal-not-synced",
    breaks: "the journal's magic is written before its content is on disk",
    edits: [
      {
        file: "src/tdb/commit.ts",
        find: "  const synced = yield* disk.sync(slice, doing);\n  if (!synced.ok) return synced;\n",
        replace: "",
      },
    ],
    tests: POWER_FAILURE,
  },
  {
    name: "armed-journal-not-synced",
    breaks: "blocks are overwritten before the journal's magic is on disk",
    edits: [
      {
        file: "src/tdb/commit.ts",
        find: "const armedOnDisk = yield* disk.sync(slice, doing);",
        replace: "const armedOnDisk: TdbResult<void> = DONE;",
      },
    ],
    tests: POWER_FAILURE,
  },
  {
    name: "journal-armed-first",
    breaks: "the journal's magic is written before its content",
    edits: [
      {
        file: "src/tdb/commit.ts",
        find: "const journaled = yield* writeJournal(slice, parts, plan, doing);",
        replace:
          "disk.writeWord(doing, plan.area.offset + RECORD.magic, RECOVERY_MAGIC);\n  const journaled = yield* writeJournal(slice, parts, plan, doing);",
      },
    ],
    tests: POWER_FAILURE,
  },
  {
    name: "blocks-not-synced",
    breaks: "the journal is ended before the blocks are on disk",
    edits: [
      {
        file: "src/tdb/commit.ts",
        find: "if (outcome.ok) outcome = yield* parts.disk.sync(slice, doing);",
        replace: "",
      },
    ],
    tests: POWER_FAILURE,
  },
  {
    name: "commit-not-synced",
    breaks: "a commit is answered before the end of its journal is on disk",
    edits: [
      {
        file: "src/tdb/commit.ts",
        find: "  return yield* parts.disk.sync(slice, doing);",
        replace: "  return DONE;",
      },
    ],
    tests: POWER_FAILURE,
  },
  {
    name: "area-not-synced",
    breaks: "the header leads to the recovery area before that is on disk",
    edits: [
      {
        file: "src/tdb/area_plan.ts",
        find: "  const synced = yield* disk.sync(slice, doing);\n  if (!synced.ok) return synced;\n",
        replace: "",
      },
    ],
    tests: POWER_FAILURE,
  },
  {
    name: "replay-not-synced",
    breaks: "a replay ends the journal before the old content is on disk",
    edits: [
      {
        file: "src/tdb/replay.ts",
        find: "  const synced = yield* disk.sync(slice, doing);\n  if (!synced.ok) return synced;\n",
        replace: "",
      },
    ],
    tests: POWER_FAILURE,
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
        find: "if (changed || local.capabilities !== this.#capabilities) this.#epoch += 1;",
        replace: "void changed;",
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
        find: "#leadershipChanged(): void {\n    this.#epoch += 1;",
        replace: "#leadershipChanged(): void {",
      },
    ],
    tests: ["test/recovery/epoch.test.ts"],
  },
  {
    name: "persistent-updates-forgotten",
    breaks: "no recovery when a client ends amidst persistent updates",
    edits: [
      {
        file: "src/daemon/client_service.ts",
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
        file: "src/daemon/membership.ts",
        find: "if (!this.#d.freeze.frozen) {",
        replace: "if (this.#d.freeze === undefined) {",
      },
    ],
    tests: ["test/daemon/lifecycle.test.ts"],
  },
  {
    name: "parked-works-unlimited",
    breaks: "any number of works is parked for one database",
    edits: [
      {
        file: "src/database/chain_gate.ts",
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
        file: "src/database/chain_gate.ts",
        find: "this.#parkedBytes + work.bytes > PARKED_BYTES_MAX",
        replace: "this.#parkedBytes < 0 * PARKED_BYTES_MAX",
      },
    ],
    tests: ["test/database/limits.test.ts"],
  },
];
