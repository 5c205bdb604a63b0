/**
 * Traverses of the whole cluster that local clients have started, and the walks of this node that
 * serve those of any node (docs/database.md, "Traverse").
 *
 * Invariants:
 * 1. A started traverse ends with one empty record to its client: when every asked node has ended
 *    or is lost, or after TraverseTimeout.
 * 2. A client that leaves, and a timeout, stop the walks on all nodes.
 * 3. While a client takes less than comes, the nodes that wait for an acknowledgement do not get it,
 *    and the traverse does not time out.
 */
import type { U64 } from "../../base/u64.ts";
import { u64Equal } from "../../base/u64.ts";
import {
  type ControlHandlers,
  type ControlReply,
  type ControlRequest,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../../control/control_request.ts";
import type { Timer } from "../../platform/types/time.ts";
import { EMPTY, encode } from "../../wire/codec.ts";
import { CONTROL_NOREPLY, CONTROLS } from "../../wire/controls.ts";
import { BROADCAST_ACTIVE, BROADCAST_CONNECTED } from "../../wire/packet.ts";
import { traverseAll, traverseAllExt, traverseStart } from "../../wire/structs/databases.ts";
import { type RecData, recData } from "../../wire/structs/records.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import {
  TRAVERSE_BACKLOG_BYTES_MAX,
  TRAVERSE_BACKLOG_LOOK_MS,
  TRAVERSE_HOLD_MS_MAX,
  TRAVERSES_MAX,
} from "./limits.ts";
import { LocalTraverse, type TraverseRequest } from "./local_traverse.ts";

interface StartedTraverse {
  readonly reqid: number;
  readonly clientId: number;
  readonly clientReqid: number;
  readonly srvid: U64;
  readonly database: Database;
  /** Nodes that have not ended. */
  readonly waitsFor: Set<number>;
  timer: Timer;
  records: number;
  /** Nodes that wait until they may go on. */
  held: ReplyLater[];
  holdTimer: Timer | undefined;
}

interface StartRequest {
  readonly db_id: number;
  readonly reqid: number;
  readonly srvid: U64;
}

export class Traverses {
  readonly #host: DatabaseHost;
  readonly #byId: ReadonlyMap<number, Database>;
  readonly #started = new Map<number, StartedTraverse>();
  readonly #walks = new Set<LocalTraverse>();

  constructor(host: DatabaseHost, byId: ReadonlyMap<number, Database>) {
    this.#host = host;
    this.#byId = byId;
  }

  readonly controls: ControlHandlers = {
    TRAVERSE_START: (request, from) => this.#start(request, false, from),
    TRAVERSE_START_EXT: (request, from) => this.#start(request, request.with_empty_records, from),
    TRAVERSE_ALL: (request) => this.#walk(request.db_id, request, false),
    TRAVERSE_ALL_EXT: (request) => this.#walk(request.db_id, request, request.with_empty_records),
    TRAVERSE_DATA: (record, from, later) => this.#receive(record, from, later),
    TRAVERSE_KILL: (request) => this.#kill(request),
  };

  #readable(dbId: number): Database | string {
    const database = this.#byId.get(dbId);
    if (database === undefined) return `Unknown db 0x${dbId.toString(16)} in traverse`;
    if (
      database.unhealthyReason !== undefined &&
      this.#host.tunable("AllowUnhealthyDBRead") === 0
    ) {
      return `db(${database.name}) unhealthy in traverse: ${database.unhealthyReason}`;
    }
    return database;
  }

  // --- the side that collects

  #start(request: StartRequest, withEmptyRecords: boolean, from: ControlRequest): ControlReply {
    if (from.clientId === 0) return failure("No client found");
    const database = this.#readable(request.db_id);
    if (typeof database === "string") return failure(database);
    if (this.#started.size >= TRAVERSES_MAX) {
      return failure(`${TRAVERSES_MAX} traverses are running`);
    }
    const reqid = this.#host.newReqid();
    const started: StartedTraverse = {
      reqid,
      clientId: from.clientId,
      clientReqid: request.reqid,
      srvid: request.srvid,
      database,
      waitsFor: new Set(this.#nodesToAsk(database)),
      timer: this.#deadline(() => this.#timedOut(started)),
      records: 0,
      held: [],
      holdTimer: undefined,
    };
    this.#started.set(reqid, started);
    this.#host.log.info(`Starting traverse on DB ${database.name} (id ${reqid})`);
    this.#ask(started, withEmptyRecords);
    return SUCCESS;
  }

  #deadline(action: () => void): Timer {
    return this.#host.timers.after(this.#host.tunable("TraverseTimeout") * 1000, action);
  }

  /** All active nodes for a volatile database; one suffices for the others, if possible ourselves. */
  #nodesToAsk(database: Database): readonly number[] {
    if (database.kind === "volatile") return this.#host.activeNodes();
    const map = this.#host.vnnMap();
    const first = map[0];
    return first === undefined || map.includes(this.#host.pnn) ? [this.#host.pnn] : [first];
  }

  #ask(started: StartedTraverse, withEmptyRecords: boolean): void {
    const { database, reqid, clientReqid, srvid, waitsFor } = started;
    const [only] = waitsFor;
    const destination = database.kind === "volatile" ? BROADCAST_ACTIVE : (only ?? this.#host.pnn);
    const body = {
      db_id: database.dbId,
      reqid,
      pnn: this.#host.pnn,
      client_reqid: clientReqid,
      srvid,
    };
    if (withEmptyRecords) {
      const data = encode(traverseAllExt, { ...body, with_empty_records: true });
      this.#host.broadcastControl(destination, CONTROLS.TRAVERSE_ALL_EXT.opcode, 0, data);
    } else {
      const data = encode(traverseAll, body);
      this.#host.broadcastControl(destination, CONTROLS.TRAVERSE_ALL.opcode, 0, data);
    }
    if (waitsFor.size === 0) this.#end(started);
  }

  #receive(record: RecData, from: ControlRequest, later: ReplyLater): ControlReply | "later" {
    const started = this.#started.get(record.reqid);
    if (started === undefined) return failure(`No traverse has number ${record.reqid}`);
    if (record.key.length !== 0 || record.data.length !== 0) {
      started.records += 1;
      this.#deliver(started, record.key, record.data);
      const answered = (from.flags & CONTROL_NOREPLY) === 0;
      if (answered && this.#isBehind(started)) return this.#hold(started, later);
    } else {
      started.waitsFor.delete(from.srcnode);
      if (started.waitsFor.size === 0) this.#end(started);
    }
    return SUCCESS;
  }

  #isBehind({ srvid }: StartedTraverse): boolean {
    return this.#host.queuedBytes(this.#host.pnn, srvid) > TRAVERSE_BACKLOG_BYTES_MAX;
  }

  #hold(started: StartedTraverse, later: ReplyLater): "later" {
    started.held.push(later);
    if (started.holdTimer === undefined) this.#lookAgain(started, 0);
    return "later";
  }

  #lookAgain(started: StartedTraverse, heldMs: number): void {
    started.holdTimer = this.#host.timers.after(TRAVERSE_BACKLOG_LOOK_MS, () => {
      const afterMs = heldMs + TRAVERSE_BACKLOG_LOOK_MS;
      if (this.#isBehind(started) && afterMs < TRAVERSE_HOLD_MS_MAX) {
        this.#lookAgain(started, afterMs);
        return;
      }
      started.holdTimer = undefined;
      releaseHeld(started, SUCCESS);
    });
  }

  #deliver(started: StartedTraverse, key: Uint8Array, data: Uint8Array): void {
    const record = encode(recData, { reqid: started.clientReqid, key, data });
    this.#host.sendMessage(this.#host.pnn, started.srvid, record);
  }

  #end(started: StartedTraverse): void {
    this.#forget(started);
    this.#deliver(started, EMPTY, EMPTY);
    this.#host.log.info(
      `Ending traverse on DB ${started.database.name} (id ${started.reqid}), records ${started.records}`,
    );
  }

  #timedOut(started: StartedTraverse): void {
    if (started.held.length > 0 || this.#isBehind(started)) {
      // Not the nodes are slow but the client: it has its own patience.
      started.timer = this.#deadline(() => this.#timedOut(started));
      return;
    }
    this.#host.statistics.timeouts.traverse += 1;
    this.#host.log.error(`Traverse all timeout on database:${started.database.name}`);
    this.#end(started);
    this.#killEverywhere(started);
  }

  #forget(started: StartedTraverse): void {
    started.timer.cancel();
    this.#started.delete(started.reqid);
    releaseHeld(started, failure(`Traverse ${started.reqid} has ended`));
  }

  #killEverywhere(started: StartedTraverse): void {
    const { database, clientReqid: reqid, srvid } = started;
    const data = encode(traverseStart, { db_id: database.dbId, reqid, srvid });
    this.#host.broadcastControl(BROADCAST_CONNECTED, CONTROLS.TRAVERSE_KILL.opcode, 0, data);
  }

  // --- the side that walks

  #walk(
    dbId: number,
    body: { reqid: number; pnn: number; client_reqid: number; srvid: U64 },
    withEmptyRecords: boolean,
  ): ControlReply {
    const database = this.#readable(dbId);
    if (typeof database === "string") return failure(database);
    if (this.#walks.size >= TRAVERSES_MAX) return failure(`${TRAVERSES_MAX} traverses are running`);
    const request: TraverseRequest = {
      reqid: body.reqid,
      pnn: body.pnn,
      clientReqid: body.client_reqid,
      srvid: body.srvid,
      withEmptyRecords,
    };
    const walk: LocalTraverse = new LocalTraverse(this.#host, database, request, () =>
      this.#walks.delete(walk),
    );
    this.#walks.add(walk);
    walk.start();
    return SUCCESS;
  }

  #kill(request: StartRequest): ControlReply {
    if (!this.#byId.has(request.db_id)) {
      return failure(`Unknown db 0x${request.db_id.toString(16)} in traverse kill`);
    }
    for (const walk of this.#walks) {
      if (walk.database.dbId !== request.db_id) continue;
      if (walk.request.clientReqid !== request.reqid) continue;
      if (u64Equal(walk.request.srvid, request.srvid)) this.#stop(walk);
    }
    return SUCCESS;
  }

  #stop(walk: LocalTraverse): void {
    walk.stop();
    this.#walks.delete(walk);
  }

  // --- what happens around

  dropClient(clientId: number): void {
    for (const started of [...this.#started.values()]) {
      if (started.clientId !== clientId) continue;
      this.#forget(started);
      this.#killEverywhere(started);
    }
  }

  nodeLost(pnn: number): void {
    for (const started of [...this.#started.values()]) {
      if (!started.waitsFor.delete(pnn)) continue;
      this.#host.log.warning(`Traverse of ${started.database.name} misses node ${pnn}`);
      if (started.waitsFor.size === 0) this.#end(started);
    }
    for (const walk of this.#walks) if (walk.request.pnn === pnn) this.#stop(walk);
  }

  detached(database: Database): void {
    for (const walk of this.#walks) if (walk.database === database) this.#stop(walk);
    for (const started of [...this.#started.values()]) {
      if (started.database === database) this.#end(started);
    }
  }

  close(): void {
    for (const walk of this.#walks) walk.stop();
    this.#walks.clear();
    for (const started of this.#started.values()) {
      started.timer.cancel();
      started.holdTimer?.cancel();
    }
    this.#started.clear();
  }
}

function releaseHeld(started: StartedTraverse, reply: ControlReply): void {
  started.holdTimer?.cancel();
  started.holdTimer = undefined;
  const { held } = started;
  started.held = [];
  for (const later of held) later(reply);
}
