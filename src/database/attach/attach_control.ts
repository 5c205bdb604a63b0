/**
 * The DB_ATTACH controls: who may attach when, and telling the other nodes
 * (docs/database.md, "Attach").
 *
 * Invariant: a local client that attaches while the cluster recovers is answered when that is over, or
 * refused after DeferredAttachTO.
 */
import {
  type ControlHandler,
  type ControlReply,
  type ControlRequest,
  failure,
  type ReplyLater,
} from "../../control/control_request.ts";
import type { Timer } from "../../platform/types/time.ts";
import { encode, stringZ, u32Codec } from "../../wire/codec.ts";
import { DB_FLAGS, NODE_FLAGS_INACTIVE } from "../../wire/constants.ts";
import { ATTACH_RECOVERY, CONTROLS } from "../../wire/controls.ts";
import { BROADCAST_CONNECTED } from "../../wire/packet.ts";
import type { Database, DatabaseKind } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { type AttachTable, databaseId } from "./attach.ts";
import { LateAttaches } from "./late_attaches.ts";
import { DEFERRED_ATTACHES_MAX } from "./limits.ts";

interface DeferredAttach {
  readonly name: string;
  readonly flags: number;
  readonly clientId: number;
  readonly reply: ReplyLater;
  readonly timer: Timer;
}

const OPCODE: Record<DatabaseKind, number> = {
  volatile: CONTROLS.DB_ATTACH.opcode,
  persistent: CONTROLS.DB_ATTACH_PERSISTENT.opcode,
  replicated: CONTROLS.DB_ATTACH_REPLICATED.opcode,
};

export class AttachControl {
  readonly #host: DatabaseHost;
  readonly #table: AttachTable;
  readonly #byId: ReadonlyMap<number, Database>;
  readonly #deferred = new Set<DeferredAttach>();
  readonly #late: LateAttaches;

  constructor(host: DatabaseHost, table: AttachTable, byId: ReadonlyMap<number, Database>) {
    this.#host = host;
    this.#table = table;
    this.#byId = byId;
    this.#late = new LateAttaches(host, table, byId);
  }

  handler(flags: number): ControlHandler<string> {
    return (name, from, later) => {
      const refused = this.#refusal(name, from);
      if (refused !== undefined) return failure(refused);
      if (this.#mustWait(from)) return this.#defer(name, flags, from, later);
      const announced = from.clientId === 0 && from.srcnode !== this.#host.pnn;
      this.#attach(name, flags, later, announced);
      return "later";
    };
  }

  #isLocalClient(from: ControlRequest): boolean {
    return from.clientId !== 0 && from.srcnode === this.#host.pnn;
  }

  #refusal(name: string, from: ControlRequest): string | undefined {
    if (this.#host.tunable("AllowClientDBAttach") === 0) {
      return `DB Attach to database ${name} denied by tunable AllowClientDBAttach == 0`;
    }
    if (!this.#isLocalClient(from)) return undefined;
    const ownFlags = this.#host.nodeFlags(this.#host.pnn);
    if ((ownFlags & NODE_FLAGS_INACTIVE) !== 0) {
      return `DB Attach to database ${name} refused since node is inactive (flags=0x${ownFlags.toString(16)})`;
    }
    if ((from.flags & ATTACH_RECOVERY) !== 0 && !this.#host.recovering()) {
      return `DB Attach to database ${name} refused because recovery is not active`;
    }
    return undefined;
  }

  #mustWait(from: ControlRequest): boolean {
    if (!this.#isLocalClient(from) || (from.flags & ATTACH_RECOVERY) !== 0) return false;
    return this.#host.recovering() || this.#host.runstateBefore("STARTUP");
  }

  #defer(
    name: string,
    flags: number,
    from: ControlRequest,
    reply: ReplyLater,
  ): ControlReply | "later" {
    if (this.#deferred.size >= DEFERRED_ATTACHES_MAX) {
      return failure(`${DEFERRED_ATTACHES_MAX} attaches wait for the end of a recovery already`);
    }
    const timeoutMs = this.#host.tunable("DeferredAttachTO") * 1000;
    const deferred: DeferredAttach = {
      name,
      flags,
      clientId: from.clientId,
      reply,
      timer: this.#host.timers.after(timeoutMs, () => {
        this.#deferred.delete(deferred);
        reply(failure(`DB Attach to database ${name}: recovery took over ${timeoutMs / 1000} s`));
      }),
    };
    this.#deferred.add(deferred);
    this.#host.log.notice(`DB Attach to database ${name} deferred, node is in recovery mode`);
    return "later";
  }

  #attach(name: string, flags: number, reply: ReplyLater, announced = false): void {
    const known = this.#byId.has(databaseId(name));
    this.#table.attach(name, flags, (outcome) => {
      if (!outcome.ok) {
        if (announced) this.#late.failed(name, flags);
        return reply(failure(outcome.error));
      }
      if (!known) this.#announce(outcome.value);
      reply({ status: 0, data: encode(u32Codec, outcome.value.dbId) });
    });
  }

  #announce(database: Database): void {
    const data = encode(stringZ, database.name);
    this.#host.broadcastControl(BROADCAST_CONNECTED, OPCODE[database.kind], 0, data);
  }

  /** The cluster works again. */
  resume(): void {
    if (this.#deferred.size === 0 || this.#host.recovering()) return;
    if (this.#host.runstateBefore("STARTUP")) return;
    const deferred = [...this.#deferred];
    this.#deferred.clear();
    this.#host.timers.soon(() => {
      for (const { name, flags, reply, timer } of deferred) {
        timer.cancel();
        this.#attach(name, flags, reply);
      }
    });
  }

  dropClient(clientId: number): void {
    for (const deferred of this.#deferred) {
      if (deferred.clientId !== clientId) continue;
      deferred.timer.cancel();
      this.#deferred.delete(deferred);
    }
  }

  detached(dbId: number): void {
    this.#late.detached(dbId);
  }

  close(): void {
    for (const deferred of this.#deferred) deferred.timer.cancel();
    this.#deferred.clear();
    this.#late.close();
  }

  get controls() {
    return {
      DB_ATTACH: this.handler(0),
      DB_ATTACH_PERSISTENT: this.handler(DB_FLAGS.PERSISTENT),
      DB_ATTACH_REPLICATED: this.handler(DB_FLAGS.REPLICATED),
    };
  }
}
