/**
 * A node of two with a database of either kind, in each state that a node can be in, and for every control a
 * request that is about something there.
 */
import { expect } from "bun:test";
import { silentLogger } from "../../src/base/log.ts";
import { DatabaseSet } from "../../src/database/database_set.ts";
import type { Clock } from "../../src/platform/types/time.ts";
import { NoEvents } from "../../src/services/no_events.ts";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { type AnyCodec, encode, textBytes } from "../../src/wire/codec.ts";
import { RECOVERY_ACTIVE, RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import { CONTROLS, type ControlName, type ControlRequestOf } from "../../src/wire/controls.ts";
import { CURRENT_NODE } from "../../src/wire/packet.ts";
import { type RecData, recBuffer } from "../../src/wire/structs/records.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { must } from "../support/must.ts";
import { configuredNodes, FakeNode, type RawClient, recover } from "./fake_cluster.ts";

/** Below ControlTimeout: what is answered by that was forgotten. */
export const BOUND_MS = 10_000;
const MS_PER_LOOK = 1;
const RECORDS = 400;
const HASH_SIZE = 13;
const FILE_BYTES_MAX = 1 << 20;
const GENERATION = 1234;
const NEXT_GENERATION = 1235;
const TRANSACTION = 77;
export const VOLATILE = "v.tdb";
const PERSISTENT = "p.tdb";
export const PUSH = { hi: 0x5151, lo: 1 };

function newDisk({ timers }: FakeWorld): MemoryDisk {
  return new MemoryDisk({ soon: timers.soon, fileBytesMax: FILE_BYTES_MAX, fixedMemory: true });
}

export class Scene {
  readonly world = new FakeWorld();
  /** Time passes while the node works, so that long work takes several turns. */
  busy = false;
  readonly #clock: Clock = {
    monotonicMs: () => {
      if (this.busy) this.world.nowMs += MS_PER_LOOK;
      return this.world.nowMs;
    },
    wallTime: () => this.world.clock.wallTime(),
  };
  readonly #disk = newDisk(this.world);
  readonly node = this.#newNode(0);
  readonly other = this.#newNode(1);
  readonly operator: RawClient;
  /** 0 while there is no such database. */
  volatileId = 0;
  persistentId = 0;
  #unlock: () => void = () => {};

  constructor() {
    this.node.start();
    this.other.start();
    this.world.run(1100);
    this.operator = this.node.client(500);
  }

  #newNode(pnn: number): FakeNode {
    const { world } = this;
    const { timers } = world;
    const clock = this.#clock;
    const disk = pnn === 0 ? this.#disk : newDisk(world);
    const { opener, lockWaiter } = createMemoryTdbs({ timers, clock, disk });
    const none = new NoEvents(silentLogger, timers);
    const node = new FakeNode(world, configuredNodes(2), pnn, {
      clock,
      tdbs: opener,
      lockWaiter,
      createDatabase: (host) => new DatabaseSet(host),
      events: {
        runsScripts: false,
        run: (event, args, timeoutMs, done) => {
          // The node is in its shutdown for as long as the test looks.
          if (event === "shutdown") return timers.after(BOUND_MS * 2, () => done(0));
          return none.run(event, args, timeoutMs, done);
        },
        explain: (event, done) => none.explain(event, done),
        lastRun: (event, done) => none.lastRun(event, done),
      },
    });
    node.tunables.set("DatabaseHashSize", HASH_SIZE);
    return node;
  }

  /** A node that has been through a recovery and has a database of either kind. */
  becomeNormal(): void {
    for (const node of [this.node, this.other]) recover(node, [0, 1], GENERATION);
    this.world.run(2000);
    const attached = this.operator.control("DB_ATTACH", VOLATILE);
    this.volatileId = must(attached).data;
    this.persistentId = must(this.operator.control("DB_ATTACH_PERSISTENT", PERSISTENT)).data;
    this.world.run(1000);
  }

  /** A whole recovery, to the next generation. */
  #recover(node: FakeNode): void {
    const client = node.client(502);
    client.control("SET_RECMODE", RECOVERY_ACTIVE);
    client.control("SETVNNMAP", { generation: NEXT_GENERATION, map: [0, 1] });
    const databases = node.daemon.node?.database;
    for (const { dbId } of databases instanceof DatabaseSet ? databases.databases() : []) {
      const transaction = { db_id: dbId, tid: NEXT_GENERATION };
      client.control("DB_FREEZE", dbId);
      this.world.run(50);
      client.control("DB_TRANSACTION_START", transaction);
      client.control("DB_TRANSACTION_COMMIT", transaction);
      this.world.run(50);
      client.control("DB_THAW", dbId);
    }
    client.stream?.close();
    recover(node, [0, 1], NEXT_GENERATION);
  }

  must<N extends ControlName>(name: N, request: ControlRequestOf<N>): void {
    must(this.operator.control(name, request), name);
  }

  freeze(): void {
    this.must("SET_RECMODE", RECOVERY_ACTIVE);
    this.must("DB_FREEZE", this.volatileId);
    this.must("DB_FREEZE", this.persistentId);
  }

  /** As a recovery does, up to its push. */
  startTransactions(): void {
    this.freeze();
    for (const dbId of [this.volatileId, this.persistentId]) {
      this.must("DB_TRANSACTION_START", { db_id: dbId, tid: TRANSACTION });
      this.must("DB_PUSH_START", { db_id: dbId, lmaster: 0, srvid: PUSH });
    }
  }

  /** Another process of the host locks all of the volatile database. */
  lockDatabase(): void {
    const { timers } = this.world;
    const { opener } = createMemoryTdbs({ timers, clock: this.#clock, disk: this.#disk });
    const path = `/db/volatile/${VOLATILE}.0`;
    const tdb = must(
      opener.open({ path, flags: TDB_FLAGS.MUTEX_LOCKING, hashSize: 0, create: false }),
      path,
    );
    expect(tdb.tryLockAll("write")).toBe("granted");
    this.#unlock = () => {
      tdb.unlockAll();
      tdb.close();
    };
  }

  /** What a state waits for happens: locks are given back, the recovery ends. */
  relax(): void {
    this.#unlock();
    this.#unlock = () => {};
    const { node } = this.node.daemon;
    if (node === undefined || node.nodes.ownInactive || node.state.runstate === "SHUTDOWN") return;
    this.world.run(100);
    for (const one of [this.node, this.other]) this.#recover(one);
  }
}

export interface State {
  readonly name: string;
  enter(scene: Scene): void;
}

export const STATES: readonly State[] = [
  { name: "starting up, before the first recovery", enter() {} },
  { name: "normal", enter: (scene) => scene.becomeNormal() },
  {
    name: "its database locked by another process",
    enter(scene) {
      scene.becomeNormal();
      scene.lockDatabase();
    },
  },
  {
    name: "in a recovery",
    enter(scene) {
      scene.becomeNormal();
      scene.must("SET_RECMODE", RECOVERY_ACTIVE);
    },
  },
  {
    name: "freezing",
    enter(scene) {
      scene.becomeNormal();
      scene.must("SET_RECMODE", RECOVERY_ACTIVE);
      scene.lockDatabase();
      scene.operator.sendControl("DB_FREEZE", scene.volatileId);
    },
  },
  {
    name: "frozen",
    enter(scene) {
      scene.becomeNormal();
      scene.freeze();
    },
  },
  {
    name: "in the transaction of a recovery, records being pushed",
    enter(scene) {
      scene.becomeNormal();
      scene.startTransactions();
      const records = Array.from({ length: RECORDS }, (_, i) => record(`pushed ${i}`, 28));
      const data = encode(recBuffer, { db_id: scene.volatileId, records });
      scene.operator.sendMessage(CURRENT_NODE, PUSH, data);
    },
  },
  {
    name: "committing",
    enter(scene) {
      scene.becomeNormal();
      scene.startTransactions();
      for (const dbId of [scene.volatileId, scene.persistentId]) {
        scene.operator.sendControl("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: TRANSACTION });
      }
    },
  },
  {
    name: "banned",
    enter(scene) {
      scene.becomeNormal();
      scene.must("SET_BAN_STATE", { pnn: 0, time: 100 });
    },
  },
  {
    name: "stopped",
    enter(scene) {
      scene.becomeNormal();
      scene.must("STOP_NODE", undefined);
    },
  },
  {
    name: "shutting down",
    enter(scene) {
      scene.becomeNormal();
      scene.must("SHUTDOWN", undefined);
    },
  },
];

/** With RSN 1. */
function record(key: string, dataBytes: number): RecData {
  return { reqid: 0, key: textBytes(key), data: new Uint8Array(dataBytes).with(0, 1) };
}

/** Requests that are about something; of the others the least that decodes will do. */
export function requestsOf(scene: Scene): Partial<Record<ControlName, readonly Uint8Array[]>> {
  const of = <N extends ControlName>(name: N, ...requests: ControlRequestOf<N>[]) => {
    const codec: AnyCodec = CONTROLS[name].request;
    return { [name]: requests.map((request) => encode(codec as never, request as never)) };
  };
  const ids = [scene.volatileId, scene.persistentId];
  const each = <T>(make: (db_id: number) => T): T[] => ids.map(make);
  const header = { rsn: { hi: 0, lo: 1 }, dmaster: 0, reserved1: 0, flags: 0 };
  const traverse = (db_id: number) => ({ db_id, reqid: 9, srvid: PUSH });
  const walk = (db_id: number) => ({ ...traverse(db_id), pnn: 1, client_reqid: 9 });
  const records = [record("one", 28), record("two", 28)];
  const transaction = (db_id: number) => ({ db_id, tid: TRANSACTION });
  const pull = (db_id: number) => ({ db_id, lmaster: 0, srvid: PUSH });
  const byId = [
    "GETDBPATH",
    "GET_DBNAME",
    "ENABLE_SEQNUM",
    "UPDATE_SEQNUM",
    "DB_SET_HEALTHY",
  ] as const;
  const moreById = [
    "DB_GET_HEALTH",
    "SET_DB_READONLY",
    "GET_DB_STATISTICS",
    "SET_DB_STICKY",
  ] as const;
  const frozenById = ["DB_FREEZE", "DB_THAW", "DB_TRANSACTION_CANCEL", "DB_OPEN_FLAGS"] as const;
  const named = [...byId, ...moreById, ...frozenById, "DB_DETACH", "DB_PUSH_CONFIRM"] as const;
  return {
    ...Object.assign({}, ...named.map((name) => of(name, ...ids))),
    ...of("DB_ATTACH", VOLATILE, "new.tdb"),
    ...of("DB_ATTACH_PERSISTENT", PERSISTENT, "new.tdb"),
    ...of("DB_ATTACH_REPLICATED", "new.tdb"),
    ...of("DB_TRANSACTION_START", ...each(transaction)),
    ...of("DB_TRANSACTION_COMMIT", ...each(transaction)),
    ...of("WIPE_DATABASE", ...each(transaction)),
    ...of("DB_PULL", ...each(pull)),
    ...of("DB_PUSH_START", ...each(pull)),
    ...of("GET_DB_SEQNUM", ...each((db_id) => ({ db_id }))),
    ...of("UPDATE_RECORD", ...each((db_id) => ({ db_id, records }))),
    ...of("TRANS3_COMMIT", ...each((db_id) => ({ db_id, records }))),
    ...of("DB_VACUUM", ...each((db_id) => ({ db_id, full_vacuum_run: true }))),
    ...of("TRAVERSE_START", ...each(traverse)),
    ...of("TRAVERSE_START_EXT", ...each((id) => ({ ...traverse(id), with_empty_records: true }))),
    ...of("TRAVERSE_ALL", ...each(walk)),
    ...of("TRAVERSE_ALL_EXT", ...each((id) => ({ ...walk(id), with_empty_records: true }))),
    ...of(
      "PUSH_RECORD",
      ...each((db_id) => ({
        generation: GENERATION,
        db_id,
        header: { ...header, dmaster: 1 },
        key: textBytes("key"),
        data: textBytes("data"),
      })),
    ),
    ...of("SCHEDULE_FOR_DELETION", {
      db_id: scene.volatileId,

      header,
      key: textBytes("k"),
    }),
    ...of("SET_RECMODE", RECOVERY_NORMAL, RECOVERY_ACTIVE),
    ...of("SETVNNMAP", { generation: GENERATION, map: [0, 1] }),
    ...of("SET_BAN_STATE", { pnn: 0, time: 10 }),
    ...of("PROCESS_EXISTS", 500),
  };
}
