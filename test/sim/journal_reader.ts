/**
 * Who keeps the events of a node: a client of its ctdbd, as ctdb-admind is. It is killed at any moment, also between keeping
 * a batch and acknowledging it, and comes back after a while. What it has kept is on a disk, and stays.
 */

import { u64 } from "../../src/base/u64.ts";
import { connectClient } from "../../src/client/ctdb_client.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { decodeBatch, encodeRead, type JournalBatch } from "../../src/wire/journal_messages.ts";
import type { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";
import type { Judge } from "./violation.ts";

const RECONNECT_MS = 1000;
const AWAY_MAX_MS = 20_000;
const LIFE_MIN_MS = 5000;
const LIFE_MAX_MS = 120_000;
const DIES_AT_A_BATCH = 0.03;
const ANSWERS_SRVID = 0xdc200000;

/** How far the journal of a node has come. */
export interface KeptPosition {
  readonly ring: string;
  readonly kept: number;
}

export class JournalReader {
  position: KeptPosition = { ring: "", kept: 0 };
  /** Events that it has, of all rings. */
  events = 0;
  /** Events that went before it had them. */
  missing = 0;
  deaths = 0;
  readonly #cluster: SimCluster;
  readonly #judge: Judge;
  readonly #node: SimNode;
  readonly #random: SeededRandom;
  readonly #keeper: SimProcess;
  #process: SimProcess | undefined;
  #calm = false;
  #stopped = false;

  constructor(cluster: SimCluster, node: SimNode, random: SeededRandom) {
    this.#cluster = cluster;
    this.#judge = cluster.judge;
    this.#node = node;
    this.#random = random;
    this.#keeper = cluster.newProcess(`journal keeper ${node.pnn}`);
  }

  start(): void {
    this.#stopped = false;
    this.#run();
  }

  /** From now on it is not killed any more. */
  calmDown(): void {
    this.#calm = true;
  }

  /** It goes, and does not come back before `start`. */
  stop(): void {
    this.#stopped = true;
    this.#process?.kill();
  }

  #run(): void {
    const process = this.#node.newClientProcess("journal_reader");
    this.#process = process;
    process.onDeath(() => {
      if (this.#process !== process) return;
      this.#process = undefined;
      const awayMs = this.#calm ? RECONNECT_MS : this.#random.between(RECONNECT_MS, AWAY_MAX_MS);
      this.#keeper.timers.after(awayMs, () => {
        if (!this.#stopped && this.#process === undefined) this.#run();
      });
    });
    const lifeMs = this.#random.between(LIFE_MIN_MS, LIFE_MAX_MS);
    process.timers.after(lifeMs, () => this.#die(process));
    void this.#read(process);
  }

  async #read(process: SimProcess): Promise<void> {
    const network = this.#cluster.network.forProcess(this.#node.host, process);
    const connected = await connectClient(network, process.timers, this.#node.socket);
    if (!connected.ok) return process.kill();
    const client = connected.value;
    client.onDisconnect(() => process.kill());
    const reader = u64(ANSWERS_SRVID, this.#cluster.network.pidOf(process));
    const ask = () => {
      const request = encodeRead({ reader, ...this.position });
      client.sendMessage(client.pnn, SRVID.JOURNAL_READ, request);
    };
    const registered = await client.registerSrvid(reader, (data) => {
      if (this.#diesNow(process)) return;
      const batch = decodeBatch(data);
      if (!batch.ok) {
        this.#judge.violated(`a batch of node ${client.pnn} is none: ${batch.error}`);
      }
      this.#keep(batch.value);
      if (!this.#diesNow(process)) ask();
    });
    if (!registered.ok) return process.kill();
    ask();
  }

  #keep(batch: JournalBatch): void {
    const { ring, first, entries } = batch;
    const next = ring === this.position.ring ? this.position.kept + 1 : 1;
    const fresh = entries.slice(Math.max(0, next - first));
    const from = Math.max(first, next);
    this.#cluster.journals?.kept(this.#node, ring, next, from, fresh);
    this.missing += from - next;
    this.events += fresh.length;
    this.position = { ring, kept: from + fresh.length - 1 };
  }

  #diesNow(process: SimProcess): boolean {
    if (this.#calm || !this.#random.chance(DIES_AT_A_BATCH)) return false;
    this.#die(process);
    return true;
  }

  #die(process: SimProcess): void {
    if (this.#calm) return;
    this.deaths += 1;
    process.kill();
  }
}
