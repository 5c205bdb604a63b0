/** Breakages of the TDB files; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const TDB_BREAKAGES: readonly Breakage[] = [
  {
    name: "journal-not-synced",
    breaks: "the journal's magic is written before its content is on disk",
    edits: [
      {
        file: "src/tdb/journal/commit.ts",
        find: "  const synced = yield* disk.sync(slice, doing);\n  if (!synced.ok) return synced;\n",
        replace: "",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "armed-journal-not-synced",
    breaks: "blocks are overwritten before the journal's magic is on disk",
    edits: [
      {
        file: "src/tdb/journal/commit.ts",
        find: "const armedOnDisk = yield* disk.sync(slice, doing);",
        replace: "const armedOnDisk: TdbResult<void> = DONE;",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "journal-armed-first",
    breaks: "the journal's magic is written before its content",
    edits: [
      {
        file: "src/tdb/journal/commit.ts",
        find: "const magic = movesFrom === undefined ? RECOVERY_INVALID_MAGIC : RECOVERY_MAGIC;",
        replace: "const magic = RECOVERY_MAGIC;",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "blocks-not-synced",
    breaks: "the journal is ended before the blocks are on disk",
    edits: [
      {
        file: "src/tdb/journal/commit.ts",
        find: "if (outcome.ok) outcome = yield* parts.disk.sync(slice, doing);",
        replace: "",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "commit-not-synced",
    breaks: "a commit is answered before the end of its journal is on disk",
    edits: [
      {
        file: "src/tdb/journal/commit.ts",
        find: "  return yield* parts.disk.sync(slice, doing);",
        replace: "  return DONE;",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "area-not-synced",
    breaks: "the header leads to the recovery area before that is on disk",
    edits: [
      {
        file: "src/tdb/journal/room.ts",
        find: "  if (!extendedOnDisk.ok) return extendedOnDisk;\n",
        replace: "",
      },
      {
        file: "src/tdb/journal/room.ts",
        find: "  const extendedOnDisk = yield* disk.sync(slice, doing);\n",
        replace: "",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "room-not-in-force",
    breaks: "room for a journal is a free record before the header leads to that",
    edits: [
      {
        file: "src/tdb/journal/room.ts",
        find: "  const armed = disk.writeWord(doing, magic, RECOVERY_MAGIC);",
        replace:
          "  for (const { offset, bytes } of pieces) yield* disk.write(slice, doing, offset, bytes);\n  const armed = disk.writeWord(doing, magic, RECOVERY_MAGIC);",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "room-over-the-area",
    breaks: "a new recovery area lies over the free record that has made room for it",
    edits: [
      {
        file: "src/tdb/journal/area_plan.ts",
        find: "  if (offset === oldEnd) {",
        replace: "  if (offset < oldEnd) {",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "added-space-undone",
    breaks: "undoing a commit leaves what it has added in no list",
    edits: [
      {
        file: "src/tdb/journal/commit.ts",
        find: "const content = { area, end, magic, overlay, pieces };",
        replace: "const content = { area, end, magic, overlay, pieces: pieces.slice(0, 0) };",
      },
    ],
    tests: ["test/tdb/killed_commits.test.ts"],
  },
  {
    name: "pointer-journaled",
    breaks: "libtdb undoes a commit and is led to the former recovery area",
    edits: [
      {
        file: "src/tdb/journal/area_plan.ts",
        find: "      yield* outsidePointer(offset, length);",
        replace: "      yield [offset, length] as const;",
      },
    ],
    tests: ["test/interop/tdb/killed_commits_libtdb.test.ts"],
  },
  {
    name: "half-made-for-good",
    breaks: "a file whose making failed is taken for damage",
    edits: [
      {
        file: "src/tdb/opener.ts",
        find: "if (isEmpty || (!alone && isHalfMade(attempt))) {",
        replace: "if (isEmpty) {",
      },
    ],
    tests: ["test/tdb/failing_disk.test.ts"],
  },
  {
    name: "zeros-are-half-made",
    breaks: "a file that begins with zeros is made anew, whatever comes after them",
    edits: [
      {
        file: "src/tdb/opener.ts",
        find: "return new Uint8Array(file.view(bytes), 0, bytes).every((byte) => byte === 0);",
        replace: "return true;",
      },
    ],
    tests: ["test/tdb/failing_disk.test.ts"],
  },
  {
    name: "replay-not-synced",
    breaks: "a replay ends the journal before the old content is on disk",
    edits: [
      {
        file: "src/tdb/journal/replay.ts",
        find: "if (places.length === 0 || isDone) return yield* disk.sync(slice, doing);",
        replace: "if (places.length === 0 || isDone) return { ok: true, value: undefined };",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "replay-loses-the-journal",
    breaks: "a replay puts back what the header led to before",
    edits: [
      {
        file: "src/tdb/journal/replay.ts",
        find: "return parts.flatMap(([from, bytes]) => [...outsidePointer(from, bytes)]);",
        replace: "return parts;",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "replay-frees-twice",
    breaks: "a replay that is repeated puts added space into the freelist twice",
    edits: [
      {
        file: "src/tdb/journal/replay.ts",
        find: "if (places.length === 0 || isDone)",
        replace: "if (places.length === 0)",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "replay-frees-unsynced",
    breaks: "a replay leads the freelist to added space before that is a record on disk",
    edits: [
      {
        file: "src/tdb/journal/replay.ts",
        find: "  const placed = yield* disk.sync(slice, doing);\n  if (!placed.ok) return placed;\n",
        replace: "",
      },
    ],
    tests: ["test/torture/power_failure.test.ts"],
  },
  {
    name: "busy-keeps-the-mutex",
    breaks: "an attempt to lock all records that failed keeps their mutex",
    edits: [
      {
        file: "src/tdb/locks/lock_protocol.ts",
        find: "      this.#setAllrecord(ALLRECORD_UNLOCKED);\n      this.#file.unlockMutex(mutexes.allrecordMutex);\n    }\n    return passed;",
        replace: "      this.#setAllrecord(ALLRECORD_UNLOCKED);\n    }\n    return passed;",
      },
    ],
    tests: ["test/tdb/exclusion.test.ts"],
  },
  {
    name: "busy-keeps-the-chains",
    breaks: "an attempt to lock all records that failed keeps the chains",
    edits: [
      {
        file: "src/tdb/locks/lock_protocol.ts",
        find: '    if (records !== "granted") this.unlockAll();\n',
        replace: "",
      },
    ],
    tests: ["test/tdb/exclusion.test.ts"],
  },
  {
    name: "dead-owner-locks-for-ever",
    breaks: "all records stay locked when who had them locked dies",
    edits: [
      {
        file: "src/tdb/locks/lock_protocol.ts",
        find: "    if (Atomics.load(this.#allrecordWord, 0) !== ALLRECORD_UNLOCKED) {\n      this.#setAllrecord(ALLRECORD_UNLOCKED);\n    }\n",
        replace: "",
      },
    ],
    tests: ["test/tdb/exclusion.test.ts"],
  },
  {
    name: "journal-bounds",
    breaks: "a journal entry reaches past the journal",
    edits: [
      {
        file: "src/tdb/journal/journal.ts",
        find: "if (source + length > end || !pages.contains(target, length)) {",
        replace: "if (!pages.contains(target, length)) {",
      },
    ],
    tests: ["test/tdb/damage.test.ts"],
  },
  {
    name: "openers-in-a-commit",
    breaks: "a commit writes while somebody opens the file",
    edits: [
      {
        file: "src/tdb/journal/transaction.ts",
        find: '    if (opening === "busy") return { ok: true, value: false };',
        replace: '    if (opening === "busy") return { ok: true, value: true };',
      },
    ],
    tests: ["test/tdb/exclusion.test.ts"],
  },
  {
    name: "readers-in-a-commit",
    breaks: "a commit writes while others read",
    edits: [
      {
        file: "src/tdb/journal/transaction.ts",
        find: '      if (upgraded === "busy") return { ok: true, value: false };',
        replace: '      if (upgraded === "busy") return { ok: true, value: true };',
      },
    ],
    tests: ["test/tdb/exclusion.test.ts"],
  },
  {
    name: "write-under-a-read-lock",
    breaks: "all records are locked for writing under a read lock",
    edits: [
      {
        file: "src/tdb/locks/lock_table.ts",
        find: 'if (mode === "write" && this.#allMode === "read") return "busy";',
        replace: "",
      },
    ],
    tests: ["test/tdb/exclusion.test.ts"],
  },
  {
    name: "write-list-under-read-all",
    breaks: "a chain is locked for writing under a read lock of all",
    edits: [
      {
        file: "src/tdb/locks/lock_table.ts",
        find: 'return mode === "read" || this.#allMode === "write" ? "granted" : "busy";',
        replace: 'return mode !== undefined ? "granted" : "busy";',
      },
    ],
    tests: ["test/tdb/contract.test.ts"],
  },
  {
    name: "no-upgrade",
    breaks: "a chain that is locked for reading counts as locked for writing",
    edits: [
      {
        file: "src/tdb/locks/lock_table.ts",
        find: '    if (mode === "write" && held.mode === "read") {',
        replace: '    if (mode === "write" && held.mode === undefined) {',
      },
    ],
    tests: ["test/tdb/exclusion.test.ts"],
  },
  {
    name: "read-only-replay",
    breaks: "a file that is opened for reading is changed by a replay",
    edits: [
      {
        file: "src/tdb/opener.ts",
        find: '    if (readOnly) {\n      return tdbFailure(\n        "corrupt",',
        replace:
          "    if (readOnly && file.path === '') {\n      return tdbFailure(\n        \"corrupt\",",
      },
    ],
    tests: ["test/tdb/damage.test.ts"],
  },
  {
    name: "unsound-area-kept",
    breaks: "a recovery area that never reached the disk is not forgotten",
    edits: [
      {
        file: "src/tdb/opener.ts",
        find: "    if (!readOnly && !locksNothing) forgetUnsoundArea(pages);\n",
        replace: "",
      },
    ],
    tests: ["test/tdb/exclusion.test.ts"],
  },
  {
    name: "foreign-file-cleared",
    breaks: "a file that is no TDB is cleared by its first user",
    edits: [
      {
        file: "src/tdb/opener.ts",
        find: "if (start.length > 0 && !hasMagicText(start) && !start.every((byte) => byte === 0)) {",
        replace: "if (start.length < 0) {",
      },
    ],
    tests: ["test/tdb/damage.test.ts"],
  },
  {
    name: "active-forgotten",
    breaks: "who clears a file as its first user keeps the lock for ever",
    edits: [
      {
        file: "src/tdb/opener.ts",
        find: '    return lockRange(file, "read", LOCK.active, 1, "lock a TDB as a user");',
        replace: "    return DONE;",
      },
    ],
    tests: ["test/tdb/contract.test.ts"],
  },
  {
    name: "left-merge-unchecked",
    breaks: "a free block merges with a record to its left",
    edits: [
      {
        file: "src/tdb/records/freelist.ts",
        find: "    if (pages.word(left + RECORD.magic) !== FREE_MAGIC) return 0;\n",
        replace: "",
      },
    ],
    tests: ["test/tdb/contract.test.ts"],
  },
  {
    name: "split-without-tailer",
    breaks: "the rest of a split block has no tailer",
    edits: [
      {
        file: "src/tdb/records/freelist.ts",
        find: "    pages.setWord(block.offset + RECORD.length, rest);\n    this.#space.writeTailer(block.offset);",
        replace: "    pages.setWord(block.offset + RECORD.length, rest);",
      },
    ],
    tests: ["test/tdb/contract.test.ts"],
  },
  {
    name: "foreign-magic-free",
    breaks: "a block of foreign magic in the freelist is used",
    edits: [
      {
        file: "src/tdb/records/freelist.ts",
        find: "    if (magic === FREE_MAGIC) return true;\n",
        replace: "    if (magic !== LIVE_MAGIC) return true;\n",
      },
    ],
    tests: ["test/tdb/damage.test.ts"],
  },
];
