/**
 * Sequence numbers of databases whose readers cache: when the local number has moved, the other
 * active nodes are told to move theirs (ENABLE_SEQNUM, UPDATE_SEQNUM).
 */
import type { Timer } from "../../platform/types/time.ts";
import type { Tdb } from "../../tdb/types.ts";
import { encode, u32Codec } from "../../wire/codec.ts";
import { CONTROLS } from "../../wire/controls.ts";
import { BROADCAST_ACTIVE } from "../../wire/packet.ts";
import type { DatabaseHost } from "../host.ts";

export class SequenceNumbers {
  readonly #host: DatabaseHost;
  readonly #tdb: Tdb;
  readonly #dbId: number;
  #timer: Timer | undefined;
  #known = 0;

  constructor(host: DatabaseHost, tdb: Tdb, dbId: number) {
    this.#host = host;
    this.#tdb = tdb;
    this.#dbId = dbId;
  }

  enable(): void {
    this.#tdb.enableSequenceNumber();
    this.#known = this.#tdb.sequenceNumber();
    if (this.#timer === undefined) this.#checkLater();
  }

  #checkLater(): void {
    this.#timer = this.#host.timers.after(Math.max(1, this.#host.tunable("SeqnumInterval")), () => {
      const current = this.#tdb.sequenceNumber();
      if (current !== this.#known) {
        this.#known = current;
        const data = encode(u32Codec, this.#dbId);
        this.#host.broadcastControl(BROADCAST_ACTIVE, CONTROLS.UPDATE_SEQNUM.opcode, 0, data);
      }
      this.#checkLater();
    });
  }

  /** Another node's number has moved. It is not passed on, but a move of ours meanwhile still is. */
  moved(): void {
    this.#tdb.incrementSequenceNumber();
    this.#known = (this.#known + 1) >>> 0;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
