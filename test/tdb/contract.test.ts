/** The contract over everything a Tdb can lie on. */
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { type Machine, tdbContract } from "./contract.ts";
import { fileOpener } from "./support.ts";

function memoryMachine(): Machine {
  const disk = new MemoryDisk({ soon: queueMicrotask });
  return {
    opener: () => createMemoryTdbs({ disk }).opener,
    path: (name) => name,
    end: () => undefined,
  };
}

function fileMachine(): Machine {
  const directory = new TemporaryDirectory("tdb");
  return {
    opener: () => fileOpener(),
    path: (name) => directory.file(name),
    end: () => directory.remove(),
  };
}

const { NOSYNC, INCOMPATIBLE_HASH, MUTEX_LOCKING } = TDB_FLAGS;
tdbContract("memory, byte ranges", memoryMachine, 0);
tdbContract("memory, mutexes", memoryMachine, MUTEX_LOCKING | INCOMPATIBLE_HASH);
tdbContract("file, byte ranges, old hash", fileMachine, NOSYNC);
tdbContract("file, byte ranges, new hash, synced", fileMachine, INCOMPATIBLE_HASH);
tdbContract("file, mutexes", fileMachine, MUTEX_LOCKING | INCOMPATIBLE_HASH | NOSYNC);
