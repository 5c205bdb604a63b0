/**
 * Fake ctdbds for tests of recoverd and of the recovery coordinator: nodes on virtual time that
 * answer the controls that these two send, keep volatile and persistent records, pass messages,
 * and can be cut off, paused, and made to fail at any control. Values are passed as they are; the
 * wire is not part of it.
 */
import { expect } from "bun:test";
import { type U64, u64, u64Compare, u64Hex } from "../../src/base/u64.ts";
import type { MessageHandler, RequestOptions } from "../../src/client/types.ts";
import { TunableSet } from "../../src/config/tunables.ts";
import { bytesText, decodeExact, EMPTY, encode, u32Codec } from "../../src/wire/codec.ts";
import {
  CAPABILITIES,
  NODE_FLAGS,
  NODE_FLAGS_INACTIVE,
  RECOVERY_ACTIVE,
  RECOVERY_NORMAL,
  SEQUENCE_KEY,
} from "../../src/wire/constants.ts";
import {
  type ControlName,
  PING_BACKLOG,
  PING_GENERATION,
  PUBLIC_IPS_ONLY_AVAILABLE,
  RECOVERY_COUNT_HIGH,
  SEQNUM_RECOVERIES,
  TRANSACTION_UNBROKEN,
} from "../../src/wire/controls.ts";
import {
  BROADCAST_ACTIVE,
  BROADCAST_ALL,
  BROADCAST_CONNECTED,
  CURRENT_NODE,
  INVALID_GENERATION,
} from "../../src/wire/packet.ts";
import type { NodeAndFlags, VnnMap } from "../../src/wire/structs/cluster.ts";
import {
  type LtdbHeader,
  ltdbHeader,
  type RecData,
  recBuffer,
} from "../../src/wire/structs/records.ts";
import { NO_ADDRESS, type SockAddr } from "../../src/wire/structs/socket_address.ts";
import { Scheduler, SimProcess } from "../sim/scheduler.ts";
import { must } from "../support/must.ts";

/** How long a packet takes. */
export const HOP_MS = 1;

export interface FakeRecord {
  readonly header: LtdbHeader;
  readonly value: string;
}

/** Its key as text. */
export const SEQUENCE_RECORD = bytesText(SEQUENCE_KEY);

export interface FakeDatabase {
  readonly db_id: number;
  name: string;
  flags: number;
  generation: number;
  frozen: boolean;
  transaction: number | undefined;
  push: { readonly srvid: U64; count: number } | undefined;
  readonly records: Map<string, FakeRecord>;
}

/** What a test wants a control to do instead: a number is the status to answer. */
export type Interference = "fail" | "hang" | number | undefined;

/** A public address as a node has it. */
export interface FakeAddress {
  readonly addr: SockAddr;
  /** Who hosts it, as the node believes. */
  pnn: number;
  /** Its interface is up. */
  available: boolean;
}

export class FakeCluster {
  readonly scheduler = new Scheduler();
  readonly nodes: FakeNode[];
  interfere: (pnn: number, name: ControlName, request: unknown) => Interference = () => undefined;
  /** Whether the answer of a control is on its way until the test lets it arrive. */
  holds: (pnn: number, name: ControlName) => boolean = () => false;
  readonly #held: (() => void)[] = [];
  /** Controls in the order in which nodes saw them: "pnn NAME". */
  readonly seen: string[] = [];
  /** Group of each node; nodes of different groups do not see each other. */
  #group: number[];

  constructor(count: number) {
    this.nodes = Array.from({ length: count }, (_, pnn) => new FakeNode(this, pnn));
    this.#group = new Array<number>(count).fill(0);
  }

  node(pnn: number): FakeNode {
    const node = this.nodes[pnn];
    if (node === undefined) throw new Error(`no node ${pnn}`);
    return node;
  }

  partition(...groups: number[][]): void {
    for (const [group, pnns] of groups.entries()) {
      for (const pnn of pnns) this.#group[pnn] = group;
    }
  }

  linked(a: number, b: number): boolean {
    return this.#group[a] === this.#group[b] && this.node(a).alive && this.node(b).alive;
  }

  run(ms: number): void {
    this.scheduler.run(this.scheduler.nowMs + ms);
  }

  hold(answer: () => void): void {
    this.#held.push(answer);
  }
  get heldAnswers(): number {
    return this.#held.length;
  }
  /** What is held arrives; nothing is held from now on. */
  letArrive(): void {
    this.holds = () => false;
    for (const answer of this.#held.splice(0)) answer();
  }

  /** Fails when the condition does not come true. */
  until(what: string, condition: () => boolean, limitMs = 60_000): void {
    expect(this.scheduler.runUntil(condition, limitMs), what).toBe(true);
  }

  /** The promise's value, with time moved as far as it takes. */
  settle<T>(promise: Promise<T>, limitMs = 600_000): T {
    let outcome: { value: T } | undefined;
    let failure: unknown;
    promise.then(
      (value) => {
        outcome = { value };
      },
      (error) => {
        failure = error ?? new Error("rejected");
      },
    );
    this.scheduler.runUntil(() => outcome !== undefined || failure !== undefined, limitMs);
    if (failure !== undefined) throw failure;
    if (outcome === undefined) throw new Error(`not settled within ${limitMs} ms`);
    return outcome.value;
  }
}

export class FakeNode {
  readonly pnn: number;
  readonly cluster: FakeCluster;
  readonly process: SimProcess;
  alive = true;
  flags = 0;
  capabilities: number = CAPABILITIES.RECMASTER | CAPABILITIES.LMASTER;
  recoveryMode = RECOVERY_NORMAL;
  frozen = false;
  vnnMap: VnnMap = { generation: INVALID_GENERATION, map: [] };
  banned: { readonly time: number } | undefined;
  recoveries = 0;
  /** Bytes of a push that it says it has not stored. */
  pushWaiting = 0;
  readonly tunables = new TunableSet();
  readonly addresses: FakeAddress[] = [];
  readonly databases = new Map<number, FakeDatabase>();
  /** Flags of others as pushed to us. */
  readonly #known = new Map<number, number>();
  /** Of the last recovery in which its records counted; undefined: it is of another make. */
  countedGeneration: number | undefined = INVALID_GENERATION;
  /** By the last DB_TRANSACTION_START. */
  unbrokenTold: number | undefined;
  readonly #handlers = new Map<string, Set<MessageHandler>>();

  constructor(cluster: FakeCluster, pnn: number) {
    this.cluster = cluster;
    this.pnn = pnn;
    this.process = new SimProcess(cluster.scheduler, `node ${pnn}`);
  }

  kill(): void {
    this.alive = false;
    this.process.kill();
  }

  get nodeMap(): readonly NodeAndFlags[] {
    return this.cluster.nodes.map(({ pnn }) => {
      if (pnn === this.pnn) return { pnn, flags: this.flags, addr: NO_ADDRESS };
      const known = (this.#known.get(pnn) ?? 0) & ~NODE_FLAGS.DISCONNECTED;
      const gone = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY;
      const flags = this.cluster.linked(this.pnn, pnn) ? known : gone;
      return { pnn, flags, addr: NO_ADDRESS };
    });
  }

  attach(db_id: number, name: string, flags = 0): FakeDatabase {
    const known = this.databases.get(db_id);
    if (known !== undefined) return known;
    const database: FakeDatabase = {
      db_id,
      name,
      flags,
      generation: this.vnnMap.generation,
      frozen: false,
      transaction: undefined,
      push: undefined,
      records: new Map(),
    };
    this.databases.set(db_id, database);
    return database;
  }

  store(db_id: number, key: string, rsn: number, dmaster: number, value: string, flags = 0): void {
    const header = { rsn: u64(Math.floor(rsn / 2 ** 32), rsn), dmaster, reserved1: 0, flags };
    this.databases.get(db_id)?.records.set(key, { header, value });
  }

  /** What a persistent database says of itself: its sequence number and how many recoveries it has seen. */
  storeSequence(db_id: number, number: number, recoveries: number): void {
    const header = { rsn: u64(0, 1), dmaster: this.pnn, reserved1: recoveries, flags: 0 };
    this.databases.get(db_id)?.records.set(SEQUENCE_RECORD, { header, value: String(number) });
  }

  // --- messages

  subscribe(srvid: U64, handler: MessageHandler): () => void {
    const key = u64Hex(srvid);
    const set = this.#handlers.get(key) ?? new Set();
    this.#handlers.set(key, set);
    set.add(handler);
    return () => set.delete(handler);
  }

  deliver(srvid: U64, data: Uint8Array, srcnode: number): void {
    for (const database of this.databases.values()) {
      const push = database.push;
      if (push !== undefined && u64Compare(push.srvid, srvid) === 0)
        this.#storePushed(database, data);
    }
    for (const handler of [...(this.#handlers.get(u64Hex(srvid)) ?? [])])
      handler(data, srcnode, srvid);
  }

  send(destination: number, srvid: U64, data: Uint8Array): void {
    const bytes = data.slice();
    for (const pnn of this.#targets(destination)) {
      const target = this.cluster.node(pnn);
      const { scheduler } = this.cluster;
      scheduler.at(target.process, scheduler.nowMs + HOP_MS, () => {
        if (pnn === this.pnn || this.cluster.linked(this.pnn, pnn)) {
          target.deliver(srvid, bytes, this.pnn);
        }
      });
    }
  }

  #targets(destination: number): readonly number[] {
    const all = this.cluster.nodes.map(({ pnn }) => pnn);
    switch (destination) {
      case CURRENT_NODE:
        return [this.pnn];
      case BROADCAST_ALL:
      case BROADCAST_CONNECTED:
        return all.filter((pnn) => this.cluster.linked(this.pnn, pnn));
      case BROADCAST_ACTIVE:
        return this.nodeMap.filter((n) => (n.flags & NODE_FLAGS_INACTIVE) === 0).map((n) => n.pnn);
      default:
        return [destination];
    }
  }

  // --- controls

  /** Status and data, as the table of controls types them. */
  handle(
    name: ControlName,
    request: unknown,
    { flags = 0, srvid }: RequestOptions = {},
  ): { status: number; data: unknown } {
    if (name === "DB_TRANSACTION_START") {
      this.unbrokenTold = (flags & TRANSACTION_UNBROKEN) === 0 ? undefined : srvid?.lo;
    }
    this.cluster.seen.push(`${this.pnn} ${name}`);
    const refused = { status: -1, data: undefined };
    const done = { status: 0, data: undefined };
    const data = (value: unknown) => ({ status: 0, data: value });
    const database = typeof request === "number" ? this.databases.get(request) : undefined;
    switch (name) {
      case "GET_DEBUG":
        return data(3);
      case "GET_ALL_TUNABLES":
        return data(this.tunables.inWireOrder());
      case "GET_NODEMAP":
        return data(this.nodeMap);
      case "GET_RECMODE":
        return { status: this.recoveryMode, data: undefined };
      case "GETVNNMAP":
        return data(this.vnnMap);
      case "GET_CAPABILITIES":
        return data(this.capabilities);
      case "GET_IFACES":
        return data([]);
      case "SETVNNMAP":
        this.vnnMap = request as VnnMap;
        return done;
      case "SET_RECMODE":
        return this.#setMode(request as number) ? done : refused;
      case "FREEZE":
        this.frozen = true;
        return done;
      case "START_RECOVERY":
        return done;
      case "PING":
        if ((flags & PING_GENERATION) !== 0) return data(this.#countedGeneration());
        return data((flags & PING_BACKLOG) === 0 ? EMPTY : encode(u32Codec, this.pushWaiting));
      case "END_RECOVERY":
        this.recoveries += 1;
        return done;
      case "MODIFY_FLAGS": {
        const change = request as { pnn: number; new_flags: number };
        if (change.pnn !== this.pnn) this.#known.set(change.pnn, change.new_flags);
        return done;
      }
      case "SET_BAN_STATE":
        this.banned = request as { time: number };
        this.flags |= NODE_FLAGS.BANNED;
        return done;
      case "GET_PUBLIC_IPS": {
        const onlyAvailable = (flags & PUBLIC_IPS_ONLY_AVAILABLE) !== 0;
        return data(this.addresses.filter(({ available }) => available || !onlyAvailable));
      }
      case "RELEASE_IP":
      case "TAKEOVER_IP": {
        const { addr, pnn } = request as { addr: SockAddr; pnn: number };
        const own = this.addresses.find((entry) => entry.addr.address === addr.address);
        if (own !== undefined) own.pnn = pnn;
        return own === undefined ? refused : done;
      }
      case "GET_DBMAP":
        return data([...this.databases.values()].map(({ db_id, flags }) => ({ db_id, flags })));
      case "GET_DBNAME":
        return database === undefined ? refused : data(database.name);
      case "GET_DB_SEQNUM": {
        const { db_id } = request as { db_id: number };
        const sequence = this.databases.get(db_id)?.records.get(SEQUENCE_RECORD);
        if ((flags & SEQNUM_RECOVERIES) !== 0) {
          return data(u64(RECOVERY_COUNT_HIGH, sequence?.header.reserved1 ?? 0));
        }
        return data(u64(0, Number(sequence?.value ?? 0)));
      }
      case "DB_FREEZE":
        if (database !== undefined) database.frozen = true;
        return database === undefined ? refused : done;
      case "DB_THAW":
        if (database !== undefined) database.frozen = false;
        return database === undefined ? refused : done;
      case "DB_PULL":
      case "DB_PUSH_START":
      case "WIPE_DATABASE":
      case "DB_TRANSACTION_START":
      case "DB_TRANSACTION_COMMIT":
        return this.#transactionControl(name, request as TransactionRequest);
      case "DB_PUSH_CONFIRM": {
        const count = database?.push?.count;
        if (database === undefined || count === undefined) return refused;
        database.push = undefined;
        return data(count);
      }
      default:
        return done;
    }
  }

  #setMode(mode: number): boolean {
    if (mode === RECOVERY_NORMAL) {
      const stale = [...this.databases.values()].some(
        ({ generation }) => generation !== this.vnnMap.generation,
      );
      if (stale) return false;
      this.frozen = false;
    }
    this.recoveryMode = mode === RECOVERY_NORMAL ? RECOVERY_NORMAL : RECOVERY_ACTIVE;
    return true;
  }

  #countedGeneration(): Uint8Array {
    const { countedGeneration } = this;
    return countedGeneration === undefined ? EMPTY : encode(u32Codec, countedGeneration);
  }

  #transactionControl(
    name: string,
    request: TransactionRequest,
  ): { status: number; data: unknown } {
    const database = this.databases.get(request.db_id);
    if (database === undefined || !database.frozen) return { status: -1, data: undefined };
    switch (name) {
      case "DB_TRANSACTION_START":
        database.transaction = request.tid;
        return { status: 0, data: undefined };
      case "WIPE_DATABASE":
        if (database.transaction !== request.tid) return { status: -1, data: undefined };
        database.records.clear();
        return { status: 0, data: undefined };
      case "DB_TRANSACTION_COMMIT":
        if (database.transaction !== request.tid) return { status: -1, data: undefined };
        database.transaction = undefined;
        database.generation = request.tid;
        return { status: 0, data: undefined };
      case "DB_PUSH_START":
        database.push = { srvid: request.srvid, count: 0 };
        return { status: 0, data: undefined };
      default:
        return { status: 0, data: undefined };
    }
  }

  /** Records as DB_PULL sends them, a few in each message. */
  pullBuffers(db_id: number, each = 3): Uint8Array[] {
    const records: RecData[] = [...(this.databases.get(db_id)?.records ?? [])].map(
      ([key, { header, value }]) => ({
        reqid: 0,
        key: Buffer.from(key),
        data: Buffer.concat([encode(ltdbHeader, header), Buffer.from(value)]),
      }),
    );
    const buffers: Uint8Array[] = [];
    for (let i = 0; i < records.length; i += each) {
      buffers.push(encode(recBuffer, { db_id, records: records.slice(i, i + each) }));
    }
    return buffers;
  }

  #storePushed(database: FakeDatabase, data: Uint8Array): void {
    const decoded = decodeExact(recBuffer, data);
    if (!decoded.ok || database.push === undefined) throw new Error("a pushed buffer is bad");
    for (const record of decoded.value.records) {
      const header = must(decodeExact(ltdbHeader, record.data.subarray(0, 24)));
      const value = Buffer.from(record.data.subarray(24)).toString();
      database.records.set(Buffer.from(record.key).toString(), { header, value });
      database.push.count += 1;
    }
  }
}

interface TransactionRequest {
  readonly db_id: number;
  readonly tid: number;
  readonly srvid: U64;
}
