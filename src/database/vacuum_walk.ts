/**
 * The full walk of a vacuum run: looks at every chain, one at a time under its lock, for empty records
 * of which this node is data master. They join what was queued. Of one that other nodes have read-only
 * copies of, the copies are taken back first: then its revoke queues it for a later run.
 *
 * A chain that is held elsewhere is passed over: the next walk comes by again.
 */
import { jenkinsHash } from "../base/jenkins_hash.ts";
import { RECORD_FLAGS } from "../wire/constants.ts";
import { LTDB_HEADER_BYTES } from "../wire/structs.ts";
import { VACUUM_REVOKES_MAX } from "./limits.ts";
import { RecordHeader } from "./record_header.ts";
import { lmasterOf } from "./replies.ts";
import type { Budget } from "./slices.ts";
import type { VacuumStage, VacuumWork } from "./vacuum_work.ts";

export class VacuumWalk implements VacuumStage {
  readonly name = "walking";
  readonly #work: VacuumWork;
  readonly #header = new RecordHeader();
  #chain = 0;
  /** Keys of the present chain whose copies are to be taken back. */
  #lent: Uint8Array[] = [];
  #revokes = 0;

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
        this.#takeBack();
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
    if ((header.flags & RECORD_FLAGS.RO_HAVE_DELEGATIONS) !== 0) {
      if (this.#revokes + this.#lent.length < VACUUM_REVOKES_MAX) this.#lent.push(key.slice());
      return true;
    }
    if (table.put(jenkinsHash(key), key, header) < 0) database.deleteQueue.overflows += 1;
    else counts.found += 1;
    return true;
  };

  /** With the chain locked. */
  #takeBack(): void {
    const { database, host } = this.#work;
    for (const key of this.#lent) {
      const hash = jenkinsHash(key);
      if (database.revokes.find(hash, key) !== undefined) continue;
      if (database.records.read(key, lmasterOf(host, hash)) !== undefined) continue;
      // An error here: the next walk comes by again.
      database.revokes.begin(hash, key);
      this.#revokes += 1;
    }
    this.#lent = [];
  }
}
