/**
 * A client of one simulated node that works by transactions, through the product's own client library.
 * It is killed at times, in the middle of whatever it does, and another one takes its place.
 */
import { connectClient } from "../../src/client/ctdb_client.ts";
import {
  openPersistentDatabase,
  type PersistentDatabase,
} from "../../src/client/persistent_database.ts";
import type { Transaction } from "../../src/client/transaction.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { DB_FLAGS } from "../../src/wire/constants.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";
import {
  GROUP_KEYS,
  groupContents,
  numberIn,
  PERSISTENT,
  REPLICATED,
} from "./transaction_checker.ts";
import type { Workload } from "./workload.ts";

/** Long enough that nothing ends by the client's own impatience while the checkers look. */
const PATIENCE_MS = 900_000;
const RECONNECT_MS = 1000;
const RESTART_MAX_MS = 3000;
const FILLER_BYTES_MAX = 200;

export class TransactionClient {
  readonly node: SimNode;
  readonly #workload: Workload;
  readonly #random: SeededRandom;
  readonly #open = new Map<string, PersistentDatabase>();
  #process: SimProcess;

  constructor(workload: Workload, node: SimNode, random: SeededRandom) {
    this.#workload = workload;
    this.node = node;
    this.#random = random;
    this.#process = this.#newProcess();
  }

  start(): void {
    void this.#run(this.#process);
  }

  /** SIGKILL. */
  kill(): void {
    this.#process.kill();
  }

  /** When it dies a new one begins a moment later. */
  #newProcess(): SimProcess {
    const process = this.node.newClientProcess("transactions");
    process.onDeath(() => {
      this.#open.clear();
      const next = this.#newProcess();
      this.#process = next;
      next.timers.after(this.#random.between(0, RESTART_MAX_MS), () => void this.#run(next));
    });
    return process;
  }

  async #run(process: SimProcess): Promise<void> {
    const { cluster } = this.#workload;
    const network = cluster.network.forProcess(this.node.host, process);
    while (!this.#workload.stopped) {
      const connecting = connectClient(network, process.timers, this.node.socket, {
        timeoutMs: PATIENCE_MS,
      });
      const connected = await this.#track(process, "connect", connecting);
      if (connected.ok) await this.#work(process, connected.value);
      await sleep(process, RECONNECT_MS);
    }
  }

  #track<T>(process: SimProcess, what: string, request: Promise<T>): Promise<T> {
    const name = `transactions of node ${this.node.pnn}, ${what}`;
    return this.#workload.requests.track(name, request, () => process.alive);
  }

  async #work(process: SimProcess, client: CtdbClient): Promise<void> {
    const workload = this.#workload;
    while (client.connected && !workload.stopped) {
      await sleep(process, this.#random.between(0, 2 * workload.transactionPauseMs));
      if (!client.connected || workload.stopped) break;
      await this.#transact(process, client);
    }
    for (const database of this.#open.values()) database.close();
    this.#open.clear();
    client.close();
  }

  async #database(
    process: SimProcess,
    client: CtdbClient,
    name: string,
  ): Promise<PersistentDatabase | undefined> {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const { cluster } = this.#workload;
    const environment = {
      tdbs: this.node.disk.opener(process, (tdb) => cluster.watch(this.node, tdb)),
      timers: process.timers,
      clock: process.clock,
      random: this.#random,
      pid: cluster.network.pidOf(process),
    };
    const flags = name === PERSISTENT ? DB_FLAGS.PERSISTENT : DB_FLAGS.REPLICATED;
    const opening = openPersistentDatabase(client, environment, name, flags, PATIENCE_MS);
    const opened = await this.#track(process, `attach ${name}`, opening);
    if (!opened.ok) return undefined;
    if (!client.connected) {
      opened.value.close();
      return undefined;
    }
    this.#open.set(name, opened.value);
    return opened.value;
  }

  async #transact(process: SimProcess, client: CtdbClient): Promise<void> {
    const name = this.#random.chance(0.5) ? PERSISTENT : REPLICATED;
    const database = await this.#database(process, client, name);
    if (database === undefined) return;
    const begun = await this.#track(
      process,
      `begin on ${name}`,
      database.begin({ timeoutMs: PATIENCE_MS }),
    );
    if (!begun.ok) return;
    const changing = this.#change(process, name, begun.value);
    await this.#track(process, `transaction on ${name}`, changing);
    // After a failure, too; a lost connection cannot hold it up.
    await this.#track(process, `cancel on ${name}`, begun.value.cancel(PATIENCE_MS));
  }

  async #change(process: SimProcess, name: string, transaction: Transaction): Promise<void> {
    const { transactions } = this.#workload.cluster;
    const before: number[] = [];
    for (const key of GROUP_KEYS) {
      const fetched = await transaction.fetch(textBytes(key), PATIENCE_MS);
      if (!fetched.ok) return;
      before.push(numberIn(fetched.value));
    }
    // A recovery of two sides of a partition may come between two reads: only what stays counts.
    const parent = before[0] ?? 0;
    if (before.some((content) => content !== parent)) return;
    if (this.#random.chance(this.#workload.holdChance)) {
      await sleep(process, this.#random.between(1, this.#workload.holdMaxMs));
    }
    const id = transactions.begun(parent);
    for (const key of GROUP_KEYS) {
      const stored = await transaction.store(textBytes(key), this.#value(id), PATIENCE_MS);
      if (!stored.ok) return;
    }
    if (this.#random.chance(0.05)) return;
    const { cluster } = this.#workload;
    this.#workload.commitFaults?.commitBegins(this.node, name);
    const committed = await transaction.commit(PATIENCE_MS);
    cluster.note(
      `node${this.node.pnn} transaction ${id} after ${parent} on ${name}: ${committed.ok ? "committed" : committed.error.reason}`,
    );
    if (!committed.ok) return;
    this.#workload.commitFaults?.committed(this.node, name);
    this.#workload.transactions += 1;
    transactions.acknowledge(name, id, this.#activeContents(name), this.#isParted());
  }

  #value(id: number): Uint8Array {
    const value = new Uint8Array(4 + this.#random.below(FILLER_BYTES_MAX));
    new DataView(value.buffer).setUint32(0, id);
    return value;
  }

  /** Somebody works, or may soon, without our node, and nothing says who the cluster is. */
  #isParted(): boolean {
    const { cluster } = this.#workload;
    const active = this.node.daemon?.node?.nodes.active() ?? [];
    if (cluster.lockService !== undefined) return false;
    return cluster.nodes.some(({ pnn, running }) => running && !active.includes(pnn));
  }

  /** Of the nodes that our node counts as active and that are in its generation. */
  #activeContents(name: string) {
    const own = this.node.daemon?.node;
    if (own === undefined || own.state.recovering) return [];
    const { generation } = own.vnnMap;
    return own.nodes.active().flatMap((pnn) => {
      const node = this.#workload.cluster.node(pnn);
      const recovering = node.daemon?.node?.state.recovering ?? true;
      if (recovering || node.validGeneration(name) !== generation) return [];
      const tdb = node.databases?.databaseByName(name)?.tdb;
      const contents = tdb === undefined ? undefined : groupContents(tdb);
      if (contents === undefined) return [];
      const where = `${name} on node ${pnn}`;
      return [{ pnn, content: this.#workload.cluster.transactions.oneContent(where, contents) }];
    });
  }
}

function sleep(process: SimProcess, ms: number): Promise<void> {
  return new Promise((resolve) => {
    process.timers.after(ms, resolve);
  });
}
