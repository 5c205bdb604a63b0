/**
 * The full walk of a vacuum run: looks at every chain, one at a time under its lock, for empty records
 * of which this node is data master. They join what was queued.
 *
 * A chain that is held elsewhere is passed over: the next walk comes by again.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import { RecordHeader } from "../record/record_header.ts";
import type { Budget } from "../slices.ts";
import type { VacuumStage, VacuumWork } from "./vacuum_work.ts";

export class VacuumWalk implements VacuumStage {
  readonly name = "walking";
  readonly #work: VacuumWork;
  readonly #header = new RecordHeader();
  #chain = 0;

  constructor(work: VacuumWork) {
    this.#work = work;
  }

  step(budget: Budget): "done" | "more" {
    const { tdb, gate } = this.#work.database;
    for (;;) {
      this.#chain = tdb.nextUsedChain(this.#chain);
      if (this.#chain >= tdb.hashSize) return "done";
      if (gate.enter(this.#chain) === "granted") {
        tdb.visitChain(this.#chain, this.#visit);
        gate.leave(this.#chain);
      }
      this.#chain += 1;
      if (budget.spent) return "more";
    }
  }

  readonly #visit = (key: Uint8Array, data: Uint8Array): boolean => {
    if (data.length !== LTDB_HEADER_BYTES) return true;
    const header = this.#header;
    header.readFrom(data);
    const { host, table, database, counts } = this.#work;
    if (header.dmaster !== host.pnn) return true;
    if (table.put(jenkinsHash(key), key, header) < 0) database.deleteQueue.overflows += 1;
    else counts.found += 1;
    return true;
  };
}
