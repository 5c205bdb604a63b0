/**
 * Recovery of a million records in ten databases, and what memory it leaves behind. It takes long to fill
 * them, so it is measured only when asked for (`build/bench --large`), in a cluster of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Result } from "../../src/base/result.ts";
import { U64_ZERO } from "../../src/base/u64.ts";
import { BackupWriter } from "../../src/cli/backup_file.ts";
import { openFile } from "../../src/roles/ctdb_files.ts";
import { encode } from "../../src/wire/codec.ts";
import { RecBufferBuilder } from "../../src/wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES, ltdbHeader } from "../../src/wire/structs/records.ts";
import { recordKey, VALUE_BYTES } from "./clients.ts";
import type { Figure } from "./figures.ts";
import { idleMemory, memoryAfterRecovery } from "./memory.ts";
import { oncePerCluster } from "./once.ts";
import { peakFigures } from "./peak_memory.ts";
import { watchedRecovery } from "./recovery.ts";

const DATABASES = 10;
const RECORDS = 100_000;
const BUFFER_BYTES = 1_000_000;

/** A backup of the records, for `ctdb restoredb`, which both kinds of nodes understand. */
function writeBackup(path: string): void {
  const written = <T>(outcome: Result<T, number>): T => {
    if (!outcome.ok) throw new Error(`Cannot write "${path}": error ${outcome.error}`);
    return outcome.value;
  };
  const file = written(openFile(path, "write"));
  const writer = written(BackupWriter.begin(file));
  const header = encode(ltdbHeader, { rsn: { hi: 0, lo: 1 }, dmaster: 0, reserved1: 0, flags: 0 });
  const value = new Uint8Array(LTDB_HEADER_BYTES + VALUE_BYTES).fill(0x61);
  value.set(header);
  const buffer = new RecBufferBuilder(0, BUFFER_BYTES);
  const flush = (): void => {
    written(writer.add(buffer.finish()));
    buffer.reset();
  };
  for (let i = 0; i < RECORDS; i++) {
    const key = recordKey(i);
    if (!buffer.fits(key.length, value.length)) flush();
    buffer.add(0, key, value);
  }
  flush();
  written(writer.finish({ timestamp: U64_ZERO, flags: U64_ZERO, name: "bench.tdb" }));
  file.close();
}

const largeRecovery = oncePerCluster(async (cluster) => {
  const directory = mkdtempSync(join(tmpdir(), "ctdb-bench-"));
  try {
    const path = join(directory, "backup");
    writeBackup(path);
    for (let i = 0; i < DATABASES; i++) {
      await cluster.runTool(0, "attach", `bench_large_${i}.tdb`);
      await cluster.runTool(0, "restoredb", path, `bench_large_${i}.tdb`);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return await watchedRecovery(cluster);
});

const WHAT = `recovery with ${DATABASES} databases of ${RECORDS} records`;

export const largeFigures: readonly Figure[] = [
  idleMemory,
  {
    name: WHAT,
    unit: "ms",
    better: "lower",
    measure: async (cluster) => (await largeRecovery(cluster)).elapsedMs,
  },
  ...peakFigures(WHAT, async (cluster) => (await largeRecovery(cluster)).peaks),
  memoryAfterRecovery,
];
