/**
 * Shows the record checker which deletions other nodes ask a node for: it stands between the daemon
 * and its database part, looks, and lets everything pass.
 */
import type { ControlHandlers } from "../../src/control/control_request.ts";
import type { DatabaseSet } from "../../src/database/database_set.ts";
import { ltdbRsnHigh, ltdbRsnLow } from "../../src/wire/records/ltdb_header.ts";
import { RecBufferCursor } from "../../src/wire/records/rec_buffer.ts";
import type { RecordChecker } from "./record_checker.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function watchVacuum(checker: RecordChecker, pnn: number, set: DatabaseSet): void {
  const controls = set.controls as Mutable<ControlHandlers>;
  const tryDelete = controls.TRY_DELETE_RECORDS;
  controls.TRY_DELETE_RECORDS = (bytes, from, later) => {
    const cursor = new RecBufferCursor(bytes);
    const database = [...set.databases()].find(({ dbId }) => dbId === cursor.db_id);
    const ends: (() => void)[] = [];
    while (database !== undefined && cursor.next()) {
      const { dataAt } = cursor;
      const rsn = ltdbRsnHigh(bytes, dataAt) * 0x100000000 + ltdbRsnLow(bytes, dataAt);
      ends.push(checker.askedToDelete(pnn, database.name, cursor.key(), rsn));
    }
    const end = (): void => {
      for (const action of ends) action();
    };
    const reply = tryDelete?.(bytes, from, (answer) => {
      end();
      later(answer);
    });
    if (reply !== "later") end();
    return reply ?? "later";
  };
}
