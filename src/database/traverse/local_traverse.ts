/**
 * The walk of this node in a traverse: its records go to the node that asked, one TRAVERSE_DATA each,
 * and an empty one at the end (docs/database.md, "Traverse").
 *
 * Invariants:
 * 1. A whole chain is copied under its lock, and sent after the lock is released.
 * 2. It runs in slices, and waits behind a freeze like a call does.
 * 3. After each TRAVERSE_WINDOW_BYTES it waits until the last record is acknowledged: what is on its way
 *    stays bounded, however slow the client at the other end is. Who collects may be any version: only
 *    the flag "no reply" is left out of that one control.
 * 4. It ends when nobody collects any more: an acknowledgement that is refused or does not come.
 */
import type { U64 } from "../../base/u64.ts";
import { EMPTY, encode } from "../../wire/codec.ts";
import { CONTROLS } from "../../wire/controls.ts";
import { ltdbDmaster } from "../../wire/records/ltdb_header.ts";
import { LTDB_HEADER_BYTES, recData } from "../../wire/structs/records.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import type { ChainWork } from "../record/chain_gate.ts";
import { type Budget, runSliced, type SlicedRun } from "../slices.ts";
import { TRAVERSE_SLICE_BYTES, TRAVERSE_WINDOW_BYTES } from "./limits.ts";

export interface TraverseRequest {
  /** Number of the traverse at the node that collects. */
  readonly reqid: number;
  readonly pnn: number;
  readonly clientReqid: number;
  readonly srvid: U64;
  readonly withEmptyRecords: boolean;
}

export class LocalTraverse {
  readonly request: TraverseRequest;
  readonly database: Database;
  readonly #host: DatabaseHost;
  readonly #ended: () => void;
  #run: SlicedRun | undefined;
  #chain = 0;
  #batch: Uint8Array[] = [];
  /** Sent since the last acknowledgement was asked for. */
  #windowBytes = 0;
  #waitsForAnswer = false;
  #stopped = false;
  #failed = false;

  constructor(host: DatabaseHost, database: Database, request: TraverseRequest, ended: () => void) {
    this.#host = host;
    this.database = database;
    this.request = request;
    this.#ended = ended;
  }

  start(): void {
    this.#run = runSliced(this.#host, "traverse", (budget) => this.#slice(budget));
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#stopped = true;
    this.#run?.cancel();
  }

  #slice(budget: Budget): "done" | "more" {
    const { tdb, gate } = this.database;
    let sliceBytes = 0;
    while (!this.#stopped) {
      this.#chain = tdb.nextUsedChain(this.#chain);
      if (this.#chain >= tdb.hashSize || this.#failed) {
        this.#finish();
        return "done";
      }
      const locked = gate.enter(this.#chain);
      if (locked !== "granted") {
        // It goes on from here when its turn at the lock comes.
        gate.park(this.#chain, this.#parked());
        return "done";
      }
      this.#copyChain();
      gate.leave(this.#chain);
      this.#chain += 1;
      sliceBytes += this.#sendBatch();
      if (this.#waitsForAnswer) return "done";
      if (sliceBytes >= TRAVERSE_SLICE_BYTES || budget.spent) return "more";
    }
    return "done";
  }

  #parked(): ChainWork {
    return {
      bytes: 0,
      clientId: 0,
      run: () => {
        if (this.#stopped) return true;
        if (!this.#copyChain()) return false;
        this.#chain += 1;
        this.#host.timers.soon(() => {
          if (this.#stopped) return;
          this.#sendBatch();
          if (!this.#waitsForAnswer) this.start();
        });
        return true;
      },
      drop: (reason) => {
        this.#host.log.warning(`Local traverse of "${this.database.name}" failed: ${reason}`);
        this.#failed = true;
        if (!this.#stopped) this.#finish();
      },
    };
  }

  /** With the chain locked. */
  #copyChain(): boolean {
    const visited = this.database.tdb.visitChain(this.#chain, this.#visit);
    if (visited.ok) return true;
    if (visited.error.code === "busy") return false;
    this.#host.log.error(
      `Local traverse of "${this.database.name}" failed: ${visited.error.reason}`,
    );
    this.#failed = true;
    return true;
  }

  readonly #visit = (key: Uint8Array, data: Uint8Array): boolean => {
    if (this.database.kind === "volatile") {
      if (data.length < LTDB_HEADER_BYTES) return true;
      if (data.length === LTDB_HEADER_BYTES && !this.request.withEmptyRecords) return true;
      // Each record counts once in the cluster: where its data master is.
      if (ltdbDmaster(data, 0) !== this.#host.pnn) return true;
    }
    this.#batch.push(encode(recData, { reqid: this.request.reqid, key, data }));
    return true;
  };

  #sendBatch(): number {
    const batch = this.#batch;
    this.#batch = [];
    let bytes = 0;
    for (const record of batch) bytes += record.length;
    this.#windowBytes += bytes;
    const last = this.#windowBytes >= TRAVERSE_WINDOW_BYTES ? batch.pop() : undefined;
    for (const record of batch) this.#send(record);
    if (last !== undefined) this.#sendAndWait(last);
    return bytes;
  }

  #sendAndWait(record: Uint8Array): void {
    this.#windowBytes = 0;
    this.#waitsForAnswer = true;
    const timeoutMs = this.#host.tunable("TraverseTimeout") * 1000;
    this.#host.requestControl(this.request.pnn, "TRAVERSE_DATA", record, timeoutMs, (answer) => {
      this.#waitsForAnswer = false;
      if (this.#stopped) return;
      if (answer.ok) {
        this.start();
        return;
      }
      this.#host.log.info(`Traverse of "${this.database.name}" is not wanted: ${answer.error}`);
      this.#stopped = true;
      this.#ended();
    });
  }

  #send(record: Uint8Array): void {
    this.#host.broadcastControl(this.request.pnn, CONTROLS.TRAVERSE_DATA.opcode, 0, record);
  }

  #finish(): void {
    this.#stopped = true;
    this.#send(encode(recData, { reqid: this.request.reqid, key: EMPTY, data: EMPTY }));
    this.#ended();
  }
}
