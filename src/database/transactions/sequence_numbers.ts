/**
 * Sequence numbers of databases whose readers cache: when the local number has moved, the other
 * active nodes are told to move theirs (ENABLE_SEQNUM, UPDATE_SEQNUM).
 */

import type { Timer } from "../../platform/types/time.ts";
import { encode, u32Codec } from "../../wire/codec.ts";
import { CONTROLS } from "../../wire/controls.ts";
import { BROADCAST_ACTIVE } from "../../wire/packet.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";

export class SequenceNumbers {
  readonly #host: DatabaseHost;
  readonly #database: Database;
  #timer: Timer | undefined;
  #known = 0;

  constructor(host: DatabaseHost, database: Database) {
    this.#host = host;
    this.#database = database;
  }

  enable(): void {
    this.#database.tdb.enableSequenceNumber();
    this.#known = this.#database.tdb.sequenceNumber();
    if (this.#timer === undefined) this.#checkLater();
  }

  #checkLater(): void {
    this.#timer = this.#host.timers.after(Math.max(1, this.#host.tunable("SeqnumInterval")), () => {
      const current = this.#database.tdb.sequenceNumber();
      if (current !== this.#known) {
        this.#known = current;
        const data = encode(u32Codec, this.#database.dbId);
        this.#host.broadcastControl(BROADCAST_ACTIVE, CONTROLS.UPDATE_SEQNUM.opcode, 0, data);
      }
      this.#checkLater();
    });
  }

  /** Another node's number has moved. It is not passed on, but a move of ours meanwhile still is. */
  moved(): void {
    this.#database.tdb.incrementSequenceNumber();
    this.#known = (this.#known + 1) >>> 0;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
