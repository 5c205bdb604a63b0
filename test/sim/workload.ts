/**
 * Clients of a simulated cluster: one per node, counting up records under fetch-lock and asking the daemon
 * things, like an smbd does. They check what a client can check:
 * - a counter never goes back within one generation of its database (DESIGN 7.2 as clients see it);
 * - every request ends before its deadline while the daemon lives (DESIGN 7.6).
 */
import { connectClient } from "../../src/client/ctdb_client.ts";
import { openRecordDatabase, type RecordDatabase } from "../../src/client/record.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import type { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import { InvariantViolation } from "./record_checker.ts";
import type { SimProcess } from "./scheduler.ts";

export const WORK_DATABASE = "work.tdb";
const KEYS = 8;
/** Longer than the daemon's own ControlTimeout: it must have answered by then. */
const REQUEST_TIMEOUT_MS = 70_000;
/** A lock may wait for several recoveries, and for partitions. */
const LOCK_TIMEOUT_MS = 120_000;
const RECONNECT_MS = 1000;

interface Seen {
  generation: number;
  value: number;
}

export class Workload {
  increments = 0;
  controls = 0;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #pauseMinMs: number;
  readonly #pauseMaxMs: number;
  readonly #seen = new Map<string, Seen>();
  #stopped = false;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#random = cluster.random.fork();
    this.#pauseMinMs = this.#random.between(20, 400);
    this.#pauseMaxMs = this.#pauseMinMs * this.#random.between(1.5, 6);
  }

  start(): void {
    for (const node of this.#cluster.nodes) {
      const process = this.#cluster.newProcess(`client${node.pnn}`);
      void this.#runClient(node, process, this.#random.fork());
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #runClient(node: SimNode, process: SimProcess, random: SeededRandom): Promise<void> {
    const network = this.#cluster.network.forProcess(node.host, process);
    while (!this.#stopped) {
      const connected = await connectClient(network, process.timers, node.socket);
      if (connected.ok) {
        const client = connected.value;
        await this.#work(node, client, process, random);
        client.close();
      }
      await sleep(process, RECONNECT_MS);
    }
  }

  /** Works until the connection is lost. */
  async #work(
    node: SimNode,
    client: CtdbClient,
    process: SimProcess,
    random: SeededRandom,
  ): Promise<void> {
    const environment = {
      tdbs: node.disk.opener(process, (tdb) => this.#cluster.watch(node, tdb)),
      timers: process.timers,
      clock: process.clock,
    };
    const opened = await openRecordDatabase(
      client,
      environment,
      WORK_DATABASE,
      0,
      2 * LOCK_TIMEOUT_MS,
    );
    if (!opened.ok) {
      this.#judge(node, client, "open the database", opened.error);
      return;
    }
    const database = opened.value;
    while (client.connected && !this.#stopped) {
      await sleep(process, random.between(this.#pauseMinMs, this.#pauseMaxMs));
      if (!client.connected) break;
      if (random.chance(0.8)) await this.#increment(node, client, database, random);
      else await this.#ask(node, client, random);
    }
    database.close();
  }

  async #increment(
    node: SimNode,
    client: CtdbClient,
    database: RecordDatabase,
    random: SeededRandom,
  ): Promise<void> {
    const name = `key${random.below(KEYS)}`;
    const key = new TextEncoder().encode(name);
    const locked = await database.fetchLock(key, { timeoutMs: LOCK_TIMEOUT_MS });
    if (!locked.ok) {
      // Locks may be lost in the trouble that the simulation makes; that they end is checked below.
      if (locked.error.kind !== "busy") this.#judge(node, client, "lock a record", locked.error);
      return;
    }
    const record = locked.value;
    const value = record.data.length === 4 ? new DataView(record.data.slice().buffer).getUint32(0) : 0;
    this.#checkCounter(node, name, value);
    const next = new Uint8Array(4);
    new DataView(next.buffer).setUint32(0, value + 1);
    const stored = await record.store(next, LOCK_TIMEOUT_MS);
    record.release();
    if (stored.ok) {
      this.increments += 1;
      this.#remember(node, name, value + 1);
    }
  }

  async #ask(node: SimNode, client: CtdbClient, random: SeededRandom): Promise<void> {
    const pnn = random.below(this.#cluster.size);
    const answer = await client.control("PING", undefined, { pnn, timeoutMs: REQUEST_TIMEOUT_MS });
    this.controls += 1;
    if (!answer.ok) this.#judge(node, client, `ping node ${pnn}`, answer.error);
  }

  /** Refusals and lost connections are answers; silence of a living daemon is not. */
  #judge(
    node: SimNode,
    client: CtdbClient,
    what: string,
    failure: { readonly kind: string; readonly reason: string },
  ): void {
    if (failure.kind !== "timeout" || !client.connected) return;
    if (!node.running || node.process?.paused === true || node.wasPausedWithin(LOCK_TIMEOUT_MS)) return;
    throw new InvariantViolation(
      `a request was neither answered nor refused: client of node ${node.pnn}, ${what}: ${failure.reason}`,
    );
  }

  #checkCounter(node: SimNode, name: string, value: number): void {
    const seen = this.#seen.get(name);
    const generation = node.validGeneration(WORK_DATABASE);
    if (seen === undefined || seen.generation !== generation) return;
    if (value < seen.value) {
      throw new InvariantViolation(
        `lost update: ${name} on node ${node.pnn} is ${value}, was ${seen.value} in the same generation ${generation}`,
      );
    }
  }

  #remember(node: SimNode, name: string, value: number): void {
    const generation = node.validGeneration(WORK_DATABASE);
    if (generation !== undefined) this.#seen.set(name, { generation, value });
  }
}

function sleep(process: SimProcess, ms: number): Promise<void> {
  return new Promise((resolve) => {
    process.timers.after(ms, resolve);
  });
}
