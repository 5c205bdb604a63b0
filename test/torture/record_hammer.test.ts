/**
 * Clients that work as smbd does, through the C library's TDB, hammer the records of one volatile database on
 * all nodes while ctdbd moves them around; one is stopped with a record's lock held, another one killed.
 *
 * Every client counts in a slot of its own. Afterwards each slot of each record holds exactly what its
 * client had stored, the files are sound, and each node answered others all the time.
 *
 * CTDB_HAMMER_SEC=N hammers for N seconds per kind of lock (default 12, at least 8).
 */
import { describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";
import { ANSWER_MS_MAX, Prober } from "../support/prober.ts";
import { fetchRecord, openRecords } from "../support/records.ts";
import { bytes, hasLibtdb, PEER, PYTHON, tdbtoolCheck } from "../tdb/support.ts";

const SECONDS = Math.max(8, Number(process.env.CTDB_HAMMER_SEC ?? 12));
const STOPPED_MS = 5_000;
const NODES = [0, 1, 2];
const CLIENTS_PER_NODE = 2;
const SLOTS = NODES.length * CLIENTS_PER_NODE;
const STOPPED_SLOT = 1;
const KILLED_SLOT = 4;
const KEYS = 40;
const DATABASE = "hammered.tdb";
const PROGRAM = new URL("./smb_like.py", import.meta.url).pathname;

class Hammer {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines: Interface;

  constructor(cluster: TestCluster, acks: string, slot: number) {
    const pnn = NODES[slot % NODES.length] as number;
    const parameters = [cluster.socket(pnn), DATABASE, acks, slot, SLOTS, KEYS, slot + 1].map(
      String,
    );
    this.#child = spawn(PYTHON, [PROGRAM, dirname(PEER), ...parameters], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#ended = once(this.#child, "exit");
    this.#lines = createInterface(this.#child.stdout as NodeJS.ReadableStream);
  }

  /** Stops or kills itself while it holds a record; the key that it holds. */
  async holding(command: "stop" | "die"): Promise<string> {
    const said = once(this.#lines, "line");
    this.#child.stdin?.write(`${command}\n`);
    const ended = this.#ended.then(() => {
      throw new Error(`the client ended with ${this.#child.exitCode} before it held a record`);
    });
    const [line] = (await Promise.race([said, ended])) as [string];
    return line.split(" ")[1] ?? "";
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ends after the record that it works on; its exit status, undefined when it was killed. */
  async end(): Promise<number | undefined> {
    this.#child.stdin?.end();
    await this.#ended;
    return this.#child.exitCode ?? undefined;
  }
}

/** What the clients have stored, by slot and key. */
class Acknowledged {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    writeFileSync(path, new Uint8Array(4 * SLOTS * KEYS));
  }
  ofKey(key: number): number[] {
    const view = new DataView(new Uint8Array(readFileSync(this.path)).buffer);
    return Array.from({ length: SLOTS }, (_, slot) =>
      view.getUint32((slot * KEYS + key) * 4, true),
    );
  }
  total(): number {
    let total = 0;
    for (let key = 0; key < KEYS; key++) total += this.ofKey(key).reduce((sum, n) => sum + n, 0);
    return total;
  }
}

/** The counts of every record as the cluster has them, read by a client of node 0. */
async function countsOfCluster(cluster: TestCluster): Promise<number[][]> {
  const client = await cluster.connect(0);
  const database = await openRecords(client, DATABASE);
  const counts: number[][] = [];
  for (let key = 0; key < KEYS; key++) {
    const name = bytes(`counter-${String(key).padStart(4, "0")}`);
    const data = await fetchRecord(database, name);
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    counts.push(Array.from({ length: SLOTS }, (_, slot) => view.getUint32(slot * 4, true)));
  }
  database.close();
  return counts;
}

/** One client is stopped in mid-record, later another one killed; how much was stored before. */
async function hammerWith(clients: readonly Hammer[], acks: Acknowledged): Promise<number> {
  const endMs = performance.now() + SECONDS * 1000;
  const stopped = clients[STOPPED_SLOT] as Hammer;
  expect(await stopped.holding("stop")).toStartWith("counter-");
  const before = acks.total();
  await Bun.sleep(STOPPED_MS);
  stopped.resume();
  expect(await (clients[KILLED_SLOT] as Hammer).holding("die")).toStartWith("counter-");
  await Bun.sleep(Math.max(0, endMs - performance.now()));
  return before;
}

async function hammer(mutexes: boolean): Promise<void> {
  await withCluster({ nodes: NODES.length, startNothing: true }, async (cluster) => {
    for (const pnn of NODES) {
      const path = join(cluster.base(pnn), "ctdb.conf");
      const setting = `[database]\n\ttdb mutexes = ${mutexes}`;
      writeFileSync(path, readFileSync(path, "utf8").replace("[database]", setting));
    }
    await cluster.start();
    expect((await cluster.ctdb(0, "attach", DATABASE)).code).toBe(0);
    const acks = new Acknowledged(join(cluster.base(0), "acks"));
    const probers = await Promise.all(
      NODES.map(async (pnn) => {
        const pid = cluster.local.process(pnn).daemonPid();
        return new Prober(await cluster.connect(pnn), pid ?? 0);
      }),
    );
    const probing = probers.map((prober) => prober.run());
    const clients = Array.from(
      { length: SLOTS },
      (_, slot) => new Hammer(cluster, acks.path, slot),
    );
    let before: number;
    try {
      before = await hammerWith(clients, acks);
      for (const prober of probers) prober.stop();
      await Promise.all(probing);
      const codes = await Promise.all(clients.map((client) => client.end()));
      expect(codes).toEqual(codes.map((_, slot) => (slot === KILLED_SLOT ? undefined : 0)));
    } finally {
      for (const client of clients) client.kill();
    }
    const counts = await countsOfCluster(cluster);
    expect(counts).toEqual(counts.map((_, key) => acks.ofKey(key)));
    expect(acks.total()).toBeGreaterThan(before);

    const slowest = probers.map(({ slowestMs }) => slowestMs);
    const kind = mutexes ? "mutexes" : "byte ranges";
    const shown = slowest.map((ms) => ms.toFixed(1)).join(", ");
    console.log(`${kind}: ${acks.total()} stores in ${SECONDS} s, slowest answers ${shown} ms`);
    expect(probers.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
    expect(Math.max(...slowest)).toBeLessThan(ANSWER_MS_MAX);
    const files = NODES.map((pnn) => join(cluster.base(pnn), `db/volatile/${DATABASE}.${pnn}`));
    await cluster.stop();
    expect(files.map(tdbtoolCheck)).toEqual(NODES.map(() => undefined));
  });
}

describe.skipIf(!hasLibtdb)("records under clients that work as smbd does", () => {
  for (const mutexes of [true, false]) {
    test(
      `no count is lost with ${mutexes ? "mutexes" : "byte range locks"}`,
      () => hammer(mutexes),
      (SECONDS + 60) * 1000,
    );
  }
});
