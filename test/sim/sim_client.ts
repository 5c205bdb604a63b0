/**
 * A client of one simulated node, like an smbd: it attaches to databases, counts up records under
 * their locks, deletes them, fetches without a lock, asks nodes things and sends messages to other
 * clients. When its daemon goes away it connects again. What it sees is held against the models.
 */
import { u64 } from "../../src/base/u64.ts";
import { connectClient } from "../../src/client/ctdb_client.ts";
import { openRecordDatabase, type RecordDatabase } from "../../src/client/record_database.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { CALL_FLAGS, FETCH_FUNC, NULL_FUNC } from "../../src/wire/constants.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";
import type { Workload } from "./workload.ts";

/** Long enough that nothing ends by the client's own impatience while the checkers look. */
const PATIENCE_MS = 900_000;
const RECONNECT_MS = 1000;
const SRVID_PREFIX = 0x51510000;
const MESSAGES_AT_ONCE_MAX = 4;
const FILLER_BYTES_MAX = 300;
const UNSCHEDULED_CHANCE = 0.1;
const LARGE_BYTES = 20_000;

export type ClientAction =
  | "increment"
  | "delete"
  | "fetch"
  | "read"
  | "look"
  | "ping"
  | "message"
  | "ask"
  | "reopen";

export class SimClient {
  readonly node: SimNode;
  /** Number of the present connection, 0 without one. */
  connection = 0;
  /** Of this client. */
  increments = 0;
  /** Whatever it would have done. */
  #incrementsNext = false;
  readonly #workload: Workload;
  readonly #process: SimProcess;
  readonly #random: SeededRandom;
  readonly #open = new Map<string, RecordDatabase>();
  #wake: (() => void) | undefined;

  constructor(workload: Workload, node: SimNode, process: SimProcess, random: SeededRandom) {
    this.#workload = workload;
    this.node = node;
    this.#process = process;
    this.#random = random;
  }

  async run(): Promise<void> {
    const { cluster, requests } = this.#workload;
    const network = cluster.network.forProcess(this.node.host, this.#process);
    const options = { timeoutMs: PATIENCE_MS };
    while (!this.#workload.stopped) {
      const { timers } = this.#process;
      const connecting = connectClient(network, timers, this.node.socket, options);
      const connected = await requests.track(`${this.#name}, connect`, connecting);
      if (connected.ok) await this.#work(connected.value);
      await this.#sleep(RECONNECT_MS);
    }
  }

  get #name(): string {
    return `client of node ${this.node.pnn}`;
  }

  #track<T>(what: string, request: Promise<T>): Promise<T> {
    return this.#workload.requests.track(`${this.#name}, ${what}`, request);
  }

  /** Works until the connection is lost. */
  async #work(client: CtdbClient): Promise<void> {
    const workload = this.#workload;
    const connection = workload.newConnection();
    const srvid = u64(SRVID_PREFIX, connection);
    const registered = await this.#track(
      "register",
      client.registerSrvid(srvid, (data) => this.#received(data, connection)),
    );
    if (registered.ok) this.connection = connection;
    while (client.connected && !workload.stopped) {
      await this.#rest(this.#random.between(workload.pauseMinMs, workload.pauseMaxMs));
      if (!client.connected || workload.stopped) break;
      const action = workload.pickAction(this.#random);
      await this.#act(client, this.#incrementsNext ? "increment" : action);
    }
    this.connection = 0;
    this.#closeDatabases();
    client.close();
  }

  #closeDatabases(): void {
    for (const database of this.#open.values()) database.close();
    this.#open.clear();
  }

  async #act(client: CtdbClient, action: ClientAction): Promise<void> {
    switch (action) {
      case "increment":
      case "delete":
        return this.#change(client, action);
      case "fetch":
        return this.#fetch(client);
      case "read":
        return this.#read(client);
      case "look":
        return this.#look(client);
      case "ping":
        return this.#ping(client);
      case "ask":
        return this.#ask(client);
      case "message":
        return this.#sendMessages(client);
      case "reopen":
        this.#closeDatabases();
    }
  }

  // --- records

  async #database(client: CtdbClient, name: string): Promise<RecordDatabase | undefined> {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const { cluster } = this.#workload;
    const environment = {
      tdbs: this.node.disk.opener(this.#process, (tdb) => cluster.watch(this.node, tdb)),
      timers: this.#process.timers,
      clock: this.#process.clock,
    };
    const flags = this.#workload.databaseFlags(name);
    const opening = openRecordDatabase(client, environment, name, flags, PATIENCE_MS);
    const opened = await this.#track(`attach ${name}`, opening);
    if (!opened.ok) return undefined;
    if (!client.connected) {
      opened.value.close();
      return undefined;
    }
    this.#open.set(name, opened.value);
    return opened.value;
  }

  async #change(client: CtdbClient, action: "increment" | "delete"): Promise<void> {
    const { counters } = this.#workload;
    const name = this.#workload.pickDatabase(this.#random);
    const keyText = this.#workload.pickKey(this.#random);
    const database = await this.#database(client, name);
    if (database === undefined) return;
    const key = textBytes(keyText);
    const locking = database.fetchLock(key, { timeoutMs: PATIENCE_MS });
    const locked = await this.#track(`lock ${name} ${keyText}`, locking);
    if (!locked.ok) return;
    const record = locked.value;
    const value = counterOf(record.data);
    // While the chain is locked the database cannot be frozen: the generation stays.
    const generation = this.node.servedGeneration(name);
    counters.check(name, keyText, this.node.validGeneration(name), value);
    if (this.#random.chance(this.#workload.holdChance)) {
      await this.#sleep(this.#random.between(1, this.#workload.holdMaxMs));
    }
    if (action === "delete") {
      const what = `delete ${name} ${keyText}`;
      const emptied = await this.#track(what, record.store(new Uint8Array(0), PATIENCE_MS));
      if (emptied.ok) counters.stored(name, keyText, generation, 0);
      // Otherwise as if it died before it told its daemon: only a full walk finds the record.
      if (emptied.ok && !this.#random.chance(UNSCHEDULED_CHANCE)) {
        await this.#track(what, record.delete(PATIENCE_MS));
      } else record.release();
      return;
    }
    const storing = record.store(this.#counter(value + 1), PATIENCE_MS);
    const stored = await this.#track(`store ${name} ${keyText}`, storing);
    if (stored.ok) {
      this.#workload.increments += 1;
      this.increments += 1;
      this.#incrementsNext = false;
      counters.stored(name, keyText, generation, value + 1);
    }
    record.release();
  }

  /** The value, and some bytes that make records of different sizes. */
  #counter(value: number): Uint8Array {
    const large = this.#random.chance(0.005);
    const filler = this.#random.below(large ? LARGE_BYTES : FILLER_BYTES_MAX);
    const bytes = new Uint8Array(4 + filler);
    new DataView(bytes.buffer).setUint32(0, value);
    return bytes;
  }

  /** A call without a lock, as a reader that does not mind if the record moves on at once. */
  async #fetch(client: CtdbClient): Promise<void> {
    const name = this.#workload.pickDatabase(this.#random);
    const keyText = this.#workload.pickKey(this.#random);
    const database = await this.#database(client, name);
    if (database === undefined) return;
    const request = {
      db_id: database.database.id,
      flags: this.#random.chance(0.5) ? CALL_FLAGS.IMMEDIATE_MIGRATION : 0,
      callid: this.#random.chance(0.5) ? FETCH_FUNC : NULL_FUNC,
      key: textBytes(keyText),
    };
    await this.#track(`fetch ${name} ${keyText}`, client.call(request, PATIENCE_MS));
  }

  /** Without a lock, as smbd looks at a record that it does not want to change. */
  async #read(client: CtdbClient): Promise<void> {
    const { counters } = this.#workload;
    const name = this.#workload.pickDatabase(this.#random);
    const keyText = this.#workload.pickKey(this.#random);
    const database = await this.#database(client, name);
    if (database === undefined) return;
    const generation = this.node.validGeneration(name);
    const before = counters.storesOf(name, keyText, generation);
    const reading = database.read(textBytes(keyText), PATIENCE_MS);
    const read = await this.#track(`read ${name} ${keyText}`, reading);
    if (!read.ok || generation === undefined) return;
    if (this.node.validGeneration(name) !== generation) return;
    counters.checkRead(name, keyText, generation, before, counterOf(read.value));
  }

  /** Under the lock, for which a read-only copy is enough. */
  async #look(client: CtdbClient): Promise<void> {
    const { counters } = this.#workload;
    const name = this.#workload.pickDatabase(this.#random);
    const keyText = this.#workload.pickKey(this.#random);
    const database = await this.#database(client, name);
    if (database === undefined) return;
    const key = textBytes(keyText);
    const locking = database.fetchLock(key, { timeoutMs: PATIENCE_MS, readonly: true });
    const locked = await this.#track(`look at ${name} ${keyText}`, locking);
    if (!locked.ok) return;
    const generation = this.node.validGeneration(name);
    if (this.#random.chance(this.#workload.holdChance)) {
      await this.#sleep(this.#random.between(1, this.#workload.holdMaxMs));
    }
    if (this.node.validGeneration(name) === generation) {
      counters.checkCopy(name, keyText, generation, counterOf(locked.value.data));
    }
    locked.value.release();
  }

  // --- controls

  async #ping(client: CtdbClient): Promise<void> {
    const pnn = this.#random.below(this.#workload.cluster.size);
    const options = { pnn, timeoutMs: PATIENCE_MS };
    await this.#track(`ping node ${pnn}`, client.control("PING", undefined, options));
  }

  async #ask(client: CtdbClient): Promise<void> {
    const pnn = this.#random.below(this.#workload.cluster.size);
    const name = this.#random.pick(["GET_NODEMAP", "GET_DBMAP", "GETVNNMAP", "UPTIME"] as const);
    const options = { pnn, timeoutMs: PATIENCE_MS };
    await this.#track(`${name} to node ${pnn}`, client.control(name, undefined, options));
  }

  // --- messages

  async #sendMessages(client: CtdbClient): Promise<void> {
    const to = this.#random.pick(this.#workload.clients);
    if (to.connection === 0 || this.connection === 0) return;
    const endings = this.#workload.cluster.network.endings(this.node.host, to.node.host);
    const count = 1 + this.#random.below(MESSAGES_AT_ONCE_MAX);
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8Array(16);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, this.connection);
      view.setUint32(4, this.#workload.messages.next(this.connection, to.connection));
      view.setUint32(8, this.node.pnn);
      view.setUint32(12, endings);
      client.sendMessage(to.node.pnn, u64(SRVID_PREFIX, to.connection), bytes);
    }
  }

  #received(data: Uint8Array, connection: number): void {
    const { cluster, messages } = this.#workload;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const sender = cluster.node(view.getUint32(8));
    const now = cluster.network.endings(sender.host, this.node.host);
    const endings = { whenSent: view.getUint32(12), now };
    messages.arrived(view.getUint32(0), connection, view.getUint32(4), endings);
  }

  /** Counts a record up as soon as it can, until it has. */
  incrementNow(): void {
    this.#incrementsNext = true;
    this.#wake?.();
  }

  /** Does something now rather than later, if it is resting. */
  wakeAfter(delayMs: number): void {
    this.#process.timers.after(delayMs, () => this.#wake?.());
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#process.timers.after(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#process.timers.after(ms, resolve);
    });
  }
}

function counterOf(data: Uint8Array): number {
  if (data.length < 4) return 0;
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(0);
}
