/**
 * A client of one node of a scenario: connects when it is first used, and again when its daemon was
 * gone.
 */
import { connectClient } from "../../src/client/ctdb_client.ts";
import type { LockedRecord } from "../../src/client/locked_record.ts";
import {
  openPersistentDatabase,
  type PersistentDatabase,
} from "../../src/client/persistent_database.ts";
import { openRecordDatabase, type RecordDatabase } from "../../src/client/record_database.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { DB_FLAGS } from "../../src/wire/constants.ts";
import type { SimCluster } from "../sim/cluster.ts";
import type { SimNode } from "../sim/node.ts";
import { SeededRandom } from "../sim/random.ts";
import type { SimProcess } from "../sim/scheduler.ts";

/** The scenario decides how long it waits. */
const PATIENCE_MS = 3_600_000;

/** Of the delays between tries. */
const RANDOM = new SeededRandom(1);

const OUTSIDE_ADDRESS = "172.16.0.9";

function endpoint(address: string, port: number) {
  return { family: "ipv4", address, port, scope: 0 } as const;
}

type Outcome<T> = { readonly value: T } | { readonly failure: string };

export class ScenarioClient {
  readonly #cluster: SimCluster;
  readonly #node: SimNode;
  readonly #process: SimProcess;
  readonly #open = new Map<string, RecordDatabase>();
  #client: CtdbClient | undefined;

  constructor(cluster: SimCluster, node: SimNode) {
    this.#cluster = cluster;
    this.#node = node;
    this.#process = cluster.newProcess(`scenario client${node.pnn}`);
  }

  async attach(name: string, flags = 0): Promise<string> {
    const database = await this.#database(name, flags);
    return "failure" in database ? database.failure : "attached";
  }

  increment(name: string, key: string): Promise<string> {
    return this.#locked(name, key, async (record) => {
      const data = new Uint8Array(4);
      const value = counterOf(record) + 1;
      new DataView(data.buffer).setUint32(0, value);
      const stored = await record.store(data, PATIENCE_MS);
      record.release();
      return stored.ok ? String(value) : stored.error.kind;
    });
  }

  read(name: string, key: string): Promise<string> {
    return this.#locked(name, key, async (record) => {
      const text = record.data.length === 0 ? "empty" : String(counterOf(record));
      record.release();
      return text;
    });
  }

  /** Under the lock, for which a read-only copy is enough. */
  look(name: string, key: string): Promise<string> {
    return this.#locked(
      name,
      key,
      async (record) => {
        const kind = record.readonlyCopy ? "copy" : "record";
        const text = record.data.length === 0 ? "empty" : String(counterOf(record));
        record.release();
        return `${kind} ${text}`;
      },
      true,
    );
  }

  remove(name: string, key: string): Promise<string> {
    return this.#locked(name, key, async (record) => {
      const deleted = await record.delete(PATIENCE_MS);
      return deleted.ok ? "deleted" : deleted.error.kind;
    });
  }

  hold(name: string, key: string, durationMs: number): Promise<string> {
    return this.#locked(name, key, async (record) => {
      await new Promise<void>((resolve) => {
        this.#process.timers.after(durationMs, resolve);
      });
      record.release();
      return "released";
    });
  }

  /** As an smbd that has a connection of an outside client to a public address. */
  async serves(address: string, port: number): Promise<string> {
    const client = await this.#connected();
    if ("failure" in client) return client.failure;
    const connection = { src: endpoint(OUTSIDE_ADDRESS, port), dst: endpoint(address, 445) };
    const answer = await client.value.control("TCP_CLIENT", connection);
    return answer.ok ? "known" : answer.error.kind;
  }

  async freeze(name: string): Promise<string> {
    const client = await this.#connected();
    if ("failure" in client) return client.failure;
    const dbId = this.#node.databases?.databaseByName(name)?.dbId;
    if (dbId === undefined) return "no such database";
    const pnns = this.#cluster.nodes.map(({ pnn }) => pnn);
    const answers = await client.value.controlEach("DB_FREEZE", dbId, pnns, {
      timeoutMs: PATIENCE_MS,
    });
    const frozen = [...answers].filter(([, answer]) => answer.ok).map(([pnn]) => pnn);
    return `frozen on ${frozen.sort().join(" ")}`;
  }

  async kill(): Promise<string> {
    this.#client?.close();
    this.#client = undefined;
    for (const database of this.#open.values()) database.close();
    this.#open.clear();
    return "gone";
  }

  /** Counts a record of a persistent database up in a transaction. */
  async transact(name: string, keyText: string): Promise<string> {
    const client = await this.#connected();
    if ("failure" in client) return client.failure;
    const opened = await openPersistentDatabase(
      client.value,
      { ...this.#environment, pid: this.#cluster.network.pidOf(this.#process), random: RANDOM },
      name,
      DB_FLAGS.PERSISTENT,
      PATIENCE_MS,
    );
    if (!opened.ok) return opened.error.kind;
    const outcome = await addOne(opened.value, new TextEncoder().encode(keyText));
    opened.value.close();
    return outcome;
  }

  async #locked(
    name: string,
    keyText: string,
    act: (record: LockedRecord) => Promise<string>,
    readonly = false,
  ): Promise<string> {
    const database = await this.#database(name);
    if ("failure" in database) return database.failure;
    const key = new TextEncoder().encode(keyText);
    const locked = await database.value.fetchLock(key, { timeoutMs: PATIENCE_MS, readonly });
    return locked.ok ? await act(locked.value) : locked.error.kind;
  }

  async #database(name: string, flags = 0): Promise<Outcome<RecordDatabase>> {
    const client = await this.#connected();
    if ("failure" in client) return client;
    const known = this.#open.get(name);
    if (known !== undefined) return { value: known };
    const environment = this.#environment;
    const opened = await openRecordDatabase(client.value, environment, name, flags, PATIENCE_MS);
    if (!opened.ok) return { failure: opened.error.kind };
    this.#open.set(name, opened.value);
    return { value: opened.value };
  }

  get #environment() {
    return {
      tdbs: this.#node.disk.opener(this.#process, (tdb) => this.#cluster.watch(this.#node, tdb)),
      timers: this.#process.timers,
      clock: this.#process.clock,
    };
  }

  async #connected(): Promise<Outcome<CtdbClient>> {
    if (this.#client?.connected === true) return { value: this.#client };
    const network = this.#cluster.network.forProcess(this.#node.host, this.#process);
    const options = { timeoutMs: PATIENCE_MS };
    const connected = await connectClient(
      network,
      this.#process.timers,
      this.#node.socket,
      options,
    );
    if (!connected.ok) return { failure: connected.error.kind };
    const client = connected.value;
    this.#client = client;
    // The files of a ctdbd that is gone are not those of the next one.
    client.onDisconnect(() => {
      for (const database of this.#open.values()) database.close();
      this.#open.clear();
    });
    return { value: client };
  }
}

async function addOne(database: PersistentDatabase, key: Uint8Array): Promise<string> {
  const begun = await database.begin({ timeoutMs: PATIENCE_MS });
  if (!begun.ok) return begun.error.kind;
  const transaction = begun.value;
  const fetched = await transaction.fetch(key, PATIENCE_MS);
  if (!fetched.ok) return fetched.error.kind;
  const data = new Uint8Array(4);
  const value = counterOf({ data: fetched.value }) + 1;
  new DataView(data.buffer).setUint32(0, value);
  const stored = await transaction.store(key, data, PATIENCE_MS);
  const committed = stored.ok ? await transaction.commit(PATIENCE_MS) : stored;
  return committed.ok ? String(value) : committed.error.kind;
}

function counterOf({ data }: { readonly data: Uint8Array }): number {
  if (data.length < 4) return 0;
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(0);
}
