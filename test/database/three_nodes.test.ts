/**
 * Three database parts over a network that reorders between links: what must hold for every order
 * (docs/database.md). A failing seed is printed in the name of the test.
 */
import { expect, test } from "bun:test";
import type { RecordHeader } from "../../src/database/record/record_header.ts";
import { decodeExact, textBytes } from "../../src/wire/codec.ts";
import { RECORD_FLAGS } from "../../src/wire/constants.ts";
import { Reader } from "../../src/wire/reader.ts";
import { RecBufferBuilder } from "../../src/wire/records/rec_buffer.ts";
import { recBuffer, recData } from "../../src/wire/structs/records.ts";
import { type ClusterNode, FakeCluster } from "./fake_cluster.ts";
import { headerIn } from "./record_values.ts";

const NAME = "ring.tdb";
const SEEDS = Array.from({ length: 16 }, (_, i) => 0x51ed + 7919 * i);

function headerOf(node: ClusterNode, key: Uint8Array): RecordHeader | undefined {
  const value = node.value(NAME, key);
  return value === undefined ? undefined : headerIn(value);
}

/** Adds one to the number in a record, as smbd does: under the chain lock, if the record is here. */
function tryIncrement(node: ClusterNode, key: Uint8Array): boolean {
  const before = node.value(NAME, key);
  if (before === undefined || headerOf(node, key)?.dmaster !== node.host.pnn) return false;
  const old = before.length === 28 ? new Reader(before.subarray(24)).u32() : 0;
  const data = new Uint8Array(28);
  data.set(before.subarray(0, 24));
  new DataView(data.buffer).setUint32(24, old + 1, true);
  return node.database(NAME).tdb.store(key, data).ok;
}

function numberIn(node: ClusterNode, key: Uint8Array): number {
  const value = node.value(NAME, key);
  return value?.length === 28 ? new Reader(value.subarray(24)).u32() : 0;
}

/** Watches that no node lowers an RSN and that at most one node calls itself data master. */
function watch(cluster: FakeCluster, keys: readonly Uint8Array[]): { active: boolean } {
  const watching = { active: true };
  const highest = new Map<string, number>();
  cluster.afterStep = () => {
    if (!watching.active) return;
    for (const key of keys) {
      const headers = cluster.nodes.map((node) => headerOf(node, key));
      const masters = headers.filter((header, pnn) => header?.dmaster === pnn);
      if (masters.length > 1) throw new Error(`two data masters of ${Buffer.from(key)}`);
      headers.forEach((header, pnn) => {
        const id = `${pnn} ${Buffer.from(key)}`;
        const before = highest.get(id) ?? 0;
        const rsn = header?.rsnLo ?? before;
        if (rsn < before) throw new Error(`RSN of ${id} goes back from ${before} to ${rsn}`);
        highest.set(id, rsn);
      });
    }
  };
  return watching;
}

interface Client {
  readonly pnn: number;
  readonly clientId: number;
  remaining: number;
  reqid: number;
  waiting: boolean;
  key: Uint8Array;
}

/** Clients on all nodes increment random keys until each has done its share. */
class Workload {
  readonly cluster: FakeCluster;
  readonly dbId: number;
  readonly keys: readonly Uint8Array[];
  readonly clients: Client[];
  errors = 0;

  constructor(cluster: FakeCluster, dbId: number, keys: readonly Uint8Array[], share: number) {
    this.cluster = cluster;
    this.dbId = dbId;
    this.keys = keys;
    this.clients = [0, 1, 2].flatMap((pnn) =>
      [1, 2].map((clientId) => ({
        pnn,
        clientId,
        remaining: share,
        reqid: 0,
        waiting: false,
        key: keys[0] as Uint8Array,
      })),
    );
  }
  get done(): boolean {
    return this.clients.every((client) => client.remaining === 0);
  }
  tick(): void {
    for (const client of this.clients) if (client.remaining > 0) this.#move(client);
  }
  #move(client: Client): void {
    const { cluster } = this;
    const node = cluster.nodes[client.pnn] as ClusterNode;
    if (client.waiting) {
      const answer = cluster.takeAnswer(client.pnn, client.clientId, client.reqid);
      if (answer === undefined) return;
      if (answer === "error") this.errors += 1;
      client.waiting = false;
    } else if (client.reqid === 0 || cluster.random.below(3) === 0) {
      client.key = this.keys[cluster.random.below(this.keys.length)] as Uint8Array;
    }
    if (tryIncrement(node, client.key)) {
      client.remaining -= 1;
      return;
    }
    client.reqid += 1;
    client.waiting = true;
    cluster.call(client.pnn, client.clientId, client.reqid, this.dbId, client.key);
  }
  run(): void {
    this.cluster.runUntil(() => {
      this.tick();
      return this.done;
    }, "all clients have done their increments");
  }
  get total(): number {
    return this.keys.reduce((sum, key) => {
      const values = this.cluster.nodes
        .filter((node) => headerOf(node, key)?.dmaster === node.host.pnn)
        .map((node) => numberIn(node, key));
      return sum + (values[0] ?? 0);
    }, 0);
  }
}

for (const [index, seed] of SEEDS.entries()) {
  const files = index % 4 === 0 ? "tdb" : "simple";

  test(`clients on three nodes lose no increment, seed ${seed}, ${files} files`, () => {
    const cluster = new FakeCluster(seed, files);
    const dbId = cluster.attach(NAME);
    const keys = ["alpha", "beta", "gamma"].map(textBytes);
    watch(cluster, keys);
    const work = new Workload(cluster, dbId, keys, 30);
    work.run();
    cluster.settle();
    expect(work.errors).toBe(0);
    expect(work.total).toBe(6 * 30);
    expect(cluster.nodes.map(({ host }) => host.recoveriesForced)).toEqual([[], [], []]);
    expect(cluster.nodes.map(({ set }) => set.pendingCalls)).toEqual([0, 0, 0]);
    expect(cluster.nodes.map(({ host }) => host.statistics.pending_calls)).toEqual([0, 0, 0]);
    for (const { host } of cluster.nodes) {
      expect(host.statistics.call_latency.num).toBe(host.statistics.total_calls);
    }
  });

  test(`a recovery by pull and push with calls in flight, seed ${seed}, ${files} files`, () => {
    const cluster = new FakeCluster(seed, files);
    const dbId = cluster.attach(NAME);
    const keys = ["alpha", "beta", "gamma", "delta"].map(textBytes);
    const watching = watch(cluster, keys);
    const work = new Workload(cluster, dbId, keys, 40);
    let ticks = 0;
    cluster.runUntil(() => {
      work.tick();
      ticks += 1;
      return ticks > 60 + cluster.random.below(60);
    }, "some traffic");
    watching.active = false;
    recover(cluster, dbId, 78, () => work.tick());
    watching.active = true;
    work.run();
    cluster.settle();
    expect(work.errors).toBe(0);
    expect(work.total).toBe(6 * 40);
    expect(cluster.nodes.map(({ set }) => set.pendingCalls)).toEqual([0, 0, 0]);
  });
}

/** What a coordinator on node 0 does, with clients at work meanwhile. */
function recover(
  cluster: FakeCluster,
  dbId: number,
  generation: number,
  meanwhile: () => void,
): void {
  const leader = cluster.nodes[0] as ClusterNode;
  const everywhere = (
    send: (node: ClusterNode) => { reply: { status: number; error?: string } | undefined },
  ): void => {
    const answers = cluster.nodes.map((node) => send(node));
    cluster.runUntil(() => {
      meanwhile();
      return answers.every(({ reply }) => reply !== undefined);
    }, "a step of the recovery");
    expect(answers.map(({ reply }) => reply?.error ?? reply?.status)).toEqual([0, 0, 0]);
  };
  const from = { srcnode: 0, clientId: 0 };
  for (const { host } of cluster.nodes) {
    host.isRecovering = true;
    host.currentGeneration = generation;
  }
  everywhere(({ caller }) => caller.call("DB_FREEZE", dbId, from));
  const tid = { db_id: dbId, tid: generation };
  everywhere(({ caller }) => caller.call("DB_TRANSACTION_START", tid, from));
  const merged = collect(cluster, dbId, meanwhile);
  everywhere(({ caller }) => caller.call("WIPE_DATABASE", tid, from));
  const pushSrvid = { hi: 0xf0010000, lo: 9 };
  const push = { db_id: dbId, lmaster: 0xffffffff, srvid: pushSrvid };
  everywhere(({ caller }) => caller.call("DB_PUSH_START", push, from));
  const builder = new RecBufferBuilder(dbId);
  for (const { key, data } of merged.values()) builder.add(0, key, data);
  for (const { host } of cluster.nodes) {
    leader.host.sendMessage(host.pnn, pushSrvid, builder.finish());
  }
  cluster.settle();
  everywhere(({ caller }) => caller.call("DB_PUSH_CONFIRM", dbId, from));
  everywhere(({ caller }) => caller.call("DB_TRANSACTION_COMMIT", tid, from));
  everywhere(({ caller }) => caller.call("DB_THAW", dbId, from));
  for (const { host } of cluster.nodes) host.isRecovering = false;
}

/** Highest RSN of each record, with the leader as data master. */
function collect(
  cluster: FakeCluster,
  dbId: number,
  meanwhile: () => void,
): Map<string, { key: Uint8Array; data: Uint8Array }> {
  const leader = cluster.nodes[0] as ClusterNode;
  const merged = new Map<string, { key: Uint8Array; data: Uint8Array; header: RecordHeader }>();
  for (const node of cluster.nodes) {
    const srvid = { hi: 0xf0010000, lo: 100 + node.host.pnn };
    const pull = { db_id: dbId, lmaster: 0xffffffff, srvid };
    const answer = node.caller.call("DB_PULL", pull, { srcnode: 0, clientId: 0 });
    cluster.runUntil(() => {
      meanwhile();
      return answer.reply !== undefined;
    }, "a pull");
    cluster.settle();
    const buffers = leader.messages.filter((message) => message.srvid.lo === srvid.lo);
    const records = buffers.flatMap(({ data }) => {
      const buffer = decodeExact(recBuffer, data);
      return buffer.ok ? buffer.value.records : [];
    });
    expect(records.length).toBe(new Reader(answer.reply?.data ?? new Uint8Array()).u32());
    for (const { key, data } of records) {
      const header = headerIn(data);
      const name = Buffer.from(key).toString("latin1");
      const known = merged.get(name);
      const wins =
        known === undefined ||
        header.rsnLo > known.header.rsnLo ||
        (header.rsnLo === known.header.rsnLo && known.header.dmaster === 0);
      if (wins) merged.set(name, { key: key.slice(), data: data.slice(), header });
    }
  }
  for (const [name, { data, header }] of [...merged]) {
    if (data.length === 24) merged.delete(name);
    header.dmaster = 0;
    header.flags = (header.flags | RECORD_FLAGS.MIGRATED_WITH_DATA) >>> 0;
    header.writeTo(data);
  }
  return merged;
}

test("a record goes around the ring with one RSN step per migration", () => {
  const cluster = new FakeCluster(1);
  const dbId = cluster.attach(NAME);
  const key = textBytes("ring");
  const rsns: number[] = [];
  for (let round = 0; round < 9; round++) {
    const pnn = round % 3;
    cluster.call(pnn, 1, round + 1, dbId, key);
    cluster.settle();
    expect(cluster.takeAnswer(pnn, 1, round + 1)).toBe("ok");
    const node = cluster.nodes[pnn] as ClusterNode;
    expect(tryIncrement(node, key)).toBe(true);
    rsns.push(headerOf(node, key)?.rsnLo ?? -1);
  }
  expect(numberIn(cluster.nodes[2] as ClusterNode, key)).toBe(9);
  const steps = rsns.slice(1).map((rsn, i) => rsn - (rsns[i] as number));
  expect(steps).toEqual(new Array(8).fill(1));
});

test("a traverse shows each record once, wherever its data master is", () => {
  const cluster = new FakeCluster(5);
  const dbId = cluster.attach(NAME);
  const keys = Array.from({ length: 30 }, (_, i) => textBytes(`key ${i}`));
  keys.forEach((key, i) => {
    cluster.call(i % 3, 1, i + 1, dbId, key);
    cluster.settle();
    if (i % 5 !== 0) tryIncrement(cluster.nodes[i % 3] as ClusterNode, key);
  });
  const node = cluster.nodes[1] as ClusterNode;
  const srvid = { hi: 7, lo: 8 };
  const request = { db_id: dbId, reqid: 4711, srvid };
  expect(node.caller.call("TRAVERSE_START", request).reply?.status).toBe(0);
  cluster.settle();
  const seen = node.messages.map(({ data }) => {
    const record = decodeExact(recData, data);
    return record.ok ? [record.value.reqid, Buffer.from(record.value.key).toString()] : [];
  });
  expect(seen.at(-1)).toEqual([4711, ""]);
  expect(
    seen
      .slice(0, -1)
      .map(([, key]) => key)
      .sort(),
  ).toEqual(
    keys
      .filter((_, i) => i % 5 !== 0)
      .map((key) => Buffer.from(key).toString())
      .sort(),
  );
});
