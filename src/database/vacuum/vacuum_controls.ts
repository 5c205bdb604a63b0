/**
 * Controls about deleted records: what clients schedule, what the vacuums of other nodes ask of this
 * one, and a run of our own on request (docs/database.md, "Deleted records").
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import {
  type ControlHandlers,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../../control/control_request.ts";
import { RecBufferCursor, recBufferProblem } from "../../wire/records/rec_buffer.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { RecordHeader } from "../record/record_header.ts";
import { unknownDatabase } from "../recovery/recovery_controls.ts";
import { type Budget, runSliced } from "../slices.ts";
import { VACUUM_SLICE_MS } from "./limits.ts";
import type { VacuumSchedule } from "./schedule.ts";
import { TryDelete } from "./try_delete.ts";

export interface VacuumControlParts {
  readonly host: DatabaseHost;
  readonly schedule: VacuumSchedule;
  findDatabase(dbId: number): Database | undefined;
}

export class VacuumControls {
  readonly #parts: VacuumControlParts;
  readonly #header = new RecordHeader();

  constructor(parts: VacuumControlParts) {
    this.#parts = parts;
  }

  readonly controls: ControlHandlers = {
    SCHEDULE_FOR_DELETION: ({ db_id, header, key }) => {
      const database = this.#parts.findDatabase(db_id);
      if (database === undefined) return unknownDatabase(db_id);
      this.#header.set(header.rsn.hi, header.rsn.lo, header.dmaster, header.flags);
      if (database.kind === "volatile") {
        database.deleteQueue.schedule(jenkinsHash(key), key, this.#header);
      }
      return SUCCESS;
    },
    TRY_DELETE_RECORDS: (bytes, _from, later) => {
      const problem = TryDelete.problem(bytes);
      if (problem !== undefined) return failure(`malformed list of records: ${problem}`);
      const { db_id } = new RecBufferCursor(bytes);
      const database = this.#parts.findDatabase(db_id);
      if (database === undefined) return unknownDatabase(db_id);
      new TryDelete(this.#parts.host, database, bytes, later);
      return "later";
    },
    // A node offers empty records to us, their lmaster: the next run fetches them.
    VACUUM_FETCH: (bytes, _from, later) => {
      const problem = recBufferProblem(bytes);
      if (problem !== undefined) return failure(`malformed list of records: ${problem}`);
      const cursor = new RecBufferCursor(bytes);
      const database = this.#parts.findDatabase(cursor.db_id);
      if (database === undefined) return unknownDatabase(cursor.db_id);
      if (database.kind !== "volatile") return SUCCESS;
      this.#offered(database, cursor, later);
      return "later";
    },
    DB_VACUUM: ({ db_id, full_vacuum_run }, _from, later) => {
      const database = this.#parts.findDatabase(db_id);
      if (database === undefined) return unknownDatabase(db_id);
      const refused = this.#parts.schedule.run(database, full_vacuum_run, (outcome) =>
        later(outcome.ok ? SUCCESS : failure(outcome.error)),
      );
      return refused === undefined ? "later" : failure(refused);
    },
  };

  /** In slices: other nodes send all that they have at once. */
  #offered(database: Database, cursor: RecBufferCursor, reply: ReplyLater): void {
    const step = (budget: Budget): "done" | "more" => {
      while (cursor.next()) {
        database.fetchQueue.add(cursor.key());
        if (budget.spent) return "more";
      }
      reply(SUCCESS);
      return "done";
    };
    runSliced(this.#parts.host, "vacuum of others", step, VACUUM_SLICE_MS);
  }
}
