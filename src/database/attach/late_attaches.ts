/**
 * Databases that other nodes have and this one could not attach when they were announced: on a full disk, say, or
 * because a process of an earlier ctdbd held the file. Nobody would tell us again: calls for their records that
 * come to this node, and transactions on them, would be refused until some recovery came by.
 *
 * Invariants:
 * 1. It is tried again every LATE_ATTACH_MS until it works, or somebody detaches the database.
 * 2. What was attached late lacks what the cluster has by now: a recovery follows, after the one that runs, if one does.
 */
import type { Timer } from "../../platform/types/time.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { type AttachTable, databaseId, databaseNameProblem } from "./attach.ts";
import { LATE_ATTACH_MS, LATE_ATTACHES_MAX } from "./limits.ts";

interface LateAttach {
  readonly name: string;
  readonly flags: number;
  trying: boolean;
}

export class LateAttaches {
  readonly #host: DatabaseHost;
  readonly #table: AttachTable;
  readonly #byId: ReadonlyMap<number, Database>;
  readonly #missing = new Map<number, LateAttach>();
  /** Names of what was attached since the last recovery was asked for. */
  #attached: string[] = [];
  #timer: Timer | undefined;

  constructor(host: DatabaseHost, table: AttachTable, byId: ReadonlyMap<number, Database>) {
    this.#host = host;
    this.#table = table;
    this.#byId = byId;
  }

  /** An announced database could not be attached. */
  failed(name: string, flags: number): void {
    const dbId = databaseId(name);
    // Another kind of that name stays refused.
    if (this.#byId.has(dbId) || this.#missing.has(dbId)) return;
    if (databaseNameProblem(name) !== undefined || this.#missing.size >= LATE_ATTACHES_MAX) return;
    this.#missing.set(dbId, { name, flags, trying: false });
    this.#plan();
  }

  detached(dbId: number): void {
    this.#missing.delete(dbId);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#missing.clear();
    this.#attached = [];
  }

  #plan(): void {
    if (this.#missing.size === 0 && this.#attached.length === 0) return;
    this.#timer ??= this.#host.timers.after(LATE_ATTACH_MS, () => {
      this.#timer = undefined;
      this.#look();
      this.#plan();
    });
  }

  #look(): void {
    for (const [dbId, late] of [...this.#missing]) {
      // A recovery makes what is missing, and fills it.
      if (this.#byId.has(dbId)) this.#missing.delete(dbId);
      else if (!late.trying) this.#try(dbId, late);
    }
    if (this.#attached.length === 0 || this.#host.recovering()) return;
    const names = this.#attached.map((name) => `"${name}"`).join(", ");
    this.#attached = [];
    this.#host.forceRecovery(`attached late: ${names}`);
  }

  #try(dbId: number, late: LateAttach): void {
    late.trying = true;
    this.#table.attach(late.name, late.flags, (outcome) => {
      late.trying = false;
      if (!outcome.ok || this.#missing.get(dbId) !== late) return;
      this.#missing.delete(dbId);
      this.#attached.push(late.name);
      this.#plan();
    });
  }
}
