/**
 * Readers and writers of one read-only database on three nodes, for every order of packets: nobody
 * writes while somebody has a copy, and everybody gets an answer (docs/database.md, "Read-only copies").
 */
import { expect, test } from "bun:test";
import type { RecordHeader } from "../../src/database/record/record_header.ts";
import { textBytes } from "../../src/wire/codec.ts";
import {
  CALL_FLAGS,
  FETCH_WITH_HEADER_FUNC,
  NULL_FUNC,
  RECORD_FLAGS,
} from "../../src/wire/constants.ts";
import { Reader } from "../../src/wire/reader.ts";
import { type ClusterNode, FakeCluster } from "./fake_cluster.ts";
import { headerIn } from "./record_values.ts";

const NAME = "copies.tdb";
const KEYS = ["a", "b"].map((key) => textBytes(key));
const SEEDS = Array.from({ length: 30 }, (_, i) => 0x2a11 + 7919 * i);
const SHARE = 12;
const { RO_HAVE_DELEGATIONS, RO_HAVE_READONLY } = RECORD_FLAGS;

interface Client {
  readonly pnn: number;
  readonly clientId: number;
  readonly writes: boolean;
  remaining: number;
  reqid: number;
  waiting: boolean;
  key: Uint8Array;
}

interface Seen {
  readonly header: RecordHeader;
  readonly number: number;
}

function seen(node: ClusterNode, key: Uint8Array): Seen | undefined {
  const value = node.value(NAME, key);
  if (value === undefined) return undefined;
  return {
    header: headerIn(value),
    number: value.length === 28 ? new Reader(value.subarray(24)).u32() : 0,
  };
}

class Play {
  readonly cluster: FakeCluster;
  readonly dbId: number;
  readonly clients: Client[];
  /** What each key was last set to. */
  readonly values = new Map<string, number>();
  copiesSeen = 0;
  errors = 0;

  constructor(seed: number) {
    this.cluster = new FakeCluster(seed, seed % 2 === 0 ? "simple" : "tdb");
    this.dbId = this.cluster.attach(NAME);
    for (const { caller } of this.cluster.nodes) {
      expect(caller.call("SET_DB_READONLY", this.dbId).reply?.status).toBe(0);
    }
    this.clients = [0, 1, 2].flatMap((pnn) =>
      [true, false, false].map((writes, index) => ({
        pnn,
        clientId: index + 1,
        writes,
        remaining: SHARE,
        reqid: 0,
        waiting: false,
        key: KEYS[0] as Uint8Array,
      })),
    );
  }

  run(): void {
    this.cluster.runUntil(() => {
      for (const client of this.clients) if (client.remaining > 0) this.#move(client);
      return this.clients.every(({ remaining }) => remaining === 0);
    }, "all clients have done their share");
  }

  #move(client: Client): void {
    const { cluster } = this;
    if (client.waiting) {
      const answer = cluster.takeAnswer(client.pnn, client.clientId, client.reqid);
      if (answer === undefined) return;
      if (answer === "error") this.errors += 1;
      client.waiting = false;
    } else {
      client.key = KEYS[cluster.random.below(KEYS.length)] as Uint8Array;
    }
    const done = client.writes ? this.#write(client) : this.#read(client);
    if (done) {
      client.remaining -= 1;
      return;
    }
    client.reqid += 1;
    client.waiting = true;
    const how = client.writes
      ? { flags: CALL_FLAGS.IMMEDIATE_MIGRATION, callid: NULL_FUNC }
      : { flags: CALL_FLAGS.WANT_READONLY, callid: FETCH_WITH_HEADER_FUNC };
    cluster.call(client.pnn, client.clientId, client.reqid, this.dbId, client.key, how);
  }

  #write({ pnn, key }: Client): boolean {
    const node = this.cluster.nodes[pnn] as ClusterNode;
    const own = seen(node, key);
    if (own?.header.dmaster !== pnn || (own.header.flags & RO_HAVE_DELEGATIONS) !== 0) return false;
    const name = Buffer.from(key).toString();
    expect(own.number).toBe(this.values.get(name) ?? 0);
    const data = new Uint8Array(28);
    own.header.writeTo(data);
    new DataView(data.buffer).setUint32(24, own.number + 1, true);
    if (!node.database(NAME).tdb.store(key, data).ok) return false;
    this.values.set(name, own.number + 1);
    return true;
  }

  #read({ pnn, key }: Client): boolean {
    const own = seen(this.cluster.nodes[pnn] as ClusterNode, key);
    if (own === undefined) return false;
    const isCopy = (own.header.flags & RO_HAVE_READONLY) !== 0;
    if (!isCopy && own.header.dmaster !== pnn) return false;
    if (isCopy) this.copiesSeen += 1;
    expect(own.number).toBe(this.values.get(Buffer.from(key).toString()) ?? 0);
    return true;
  }
}

for (const seed of SEEDS) {
  test(`nobody reads an old copy, seed ${seed}`, () => {
    const play = new Play(seed);
    play.run();
    expect([...play.values.values()].reduce((sum, value) => sum + value, 0)).toBe(3 * SHARE);
    expect(play.errors).toBe(0);
    expect(play.copiesSeen).toBeGreaterThan(0);
    for (const { host, set } of play.cluster.nodes) {
      expect([host.recoveriesForced, set.pendingCalls]).toEqual([[], 0]);
    }
  });
}
