/**
 * What tests of mixed clusters ask and do: the same thing on a node of either kind, once through our
 * client library and once through Debian's tool, so that files, sockets and links of both are used.
 *
 * Everything that waits has a deadline and says what it saw last.
 */
import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import { attachDatabase } from "../../../src/client/database.ts";
import type { RecordDatabase } from "../../../src/client/record_database.ts";
import type { CtdbClient } from "../../../src/client/types.ts";
import { bytesText, textBytes } from "../../../src/wire/codec.ts";
import { DB_FLAGS, RECOVERY_NORMAL } from "../../../src/wire/constants.ts";
import { DIST } from "../../support/executables.ts";
import type { TestCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { fetchRecord, localFile, openRecords } from "../../support/records.ts";
import { until, when } from "../../support/until.ts";

export type Kind = "ours" | "stock";

const REQUEST_TIMEOUT_MS = 30_000;
/** A dead leader is noticed after 5 s, elections take seconds, and recoveries wait for each other 10 s. */
const SETTLE_TIMEOUT_MS = 60_000;

export interface LocalRecord {
  readonly dmaster: number;
  /** RECORD_FLAGS. */
  readonly flags: number;
  readonly value: string;
}

export class MixedCluster {
  readonly cluster: TestCluster;
  readonly #clients = new Map<number, CtdbClient>();

  constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  get pnns(): readonly number[] {
    return this.cluster.pnns;
  }
  get hasLock(): boolean {
    return this.cluster.local.description.lock !== "none";
  }
  kindOf(pnn: number): Kind {
    return this.cluster.local.process(pnn).node.stock ? "stock" : "ours";
  }
  /** Nodes of this kind. */
  nodesOf(kind: Kind): readonly number[] {
    return this.pnns.filter((pnn) => this.kindOf(pnn) === kind);
  }
  others(...pnns: readonly number[]): readonly number[] {
    return this.pnns.filter((pnn) => !pnns.includes(pnn));
  }

  /** One connection for each node; a new one after the node was restarted. */
  async client(pnn: number): Promise<CtdbClient> {
    const known = this.#clients.get(pnn);
    if (known?.connected) return known;
    const client = await this.cluster.connect(pnn);
    this.#clients.set(pnn, client);
    return client;
  }

  /** Starts nodes, and lets recoveries follow each other faster than the 10 s of the default. */
  async start(...pnns: readonly number[]): Promise<void> {
    await this.cluster.start(...pnns);
    for (const pnn of pnns) {
      const client = await this.client(pnn);
      const tunable = { name: "RerecoveryTimeout", value: 1 };
      must(await client.control("SET_TUNABLE", tunable), `set ${tunable.name}`);
    }
  }

  // --- who leads

  /** As every node's own tool says; for stock nodes that is Debian's. */
  async leaders(pnns: readonly number[] = this.pnns): Promise<readonly string[]> {
    return await Promise.all(
      pnns.map(async (pnn) => {
        const tool = this.kindOf(pnn) === "stock" ? "stockCtdb" : "ctdb";
        const answer = await this.cluster[tool](pnn, "leader");
        return answer.stdout.trim() || answer.stderr.trim();
      }),
    );
  }

  /** Takes the leader role from all nodes but `leader` until all agree, then gives it back. */
  async moveLeader(leader: number): Promise<void> {
    const role = async (pnn: number, setting: "on" | "off") => {
      const result = await this.cluster.stockCtdb(pnn, "setleaderrole", setting);
      if (result.code !== 0) throw new Error(`setleaderrole ${setting}: ${result.stderr}`);
    };
    const others = this.others(leader);
    await Promise.all(others.map((pnn) => role(pnn, "off")));
    await this.settled(this.pnns, leader);
    await Promise.all(others.map((pnn) => role(pnn, "on")));
  }

  /** Waits until `pnns` are healthy, agree on a leader (this one, if given), and are out of recovery. */
  async settled(pnns: readonly number[], leader?: number): Promise<number> {
    await this.cluster.waitReady(...pnns);
    let leaders: readonly string[] = [];
    return await until(
      `nodes ${pnns} agree on leader ${leader ?? "anyone"} and are out of recovery`,
      SETTLE_TIMEOUT_MS,
      async () => {
        leaders = await this.leaders(pnns);
        const first = leaders[0] ?? "";
        const agreed = leaders.every((name) => name === first) && pnns.includes(Number(first));
        const right = leader === undefined || first === String(leader);
        return agreed && right && (await this.#outOfRecovery(pnns)) ? Number(first) : undefined;
      },
      () => `they say ${leaders}`,
    );
  }

  async #outOfRecovery(pnns: readonly number[]): Promise<boolean> {
    const answers = await Promise.all(
      pnns.map(async (pnn) => {
        const client = await this.client(pnn);
        const [mode, map] = await Promise.all([
          client.control("GET_RECMODE", undefined),
          client.control("GETVNNMAP", undefined),
        ]);
        return mode.ok && mode.value.status === RECOVERY_NORMAL && map.ok
          ? map.value.data.generation
          : undefined;
      }),
    );
    return answers.every((generation) => generation !== undefined && generation === answers[0]);
  }

  /** Waits until the leader alone keeps a mutex helper, its own kind's; that is who holds the lock. */
  async lockIsHeldBy(leader: number): Promise<void> {
    const expected = this.kindOf(leader) === "stock" ? "/usr/libexec/ctdb/" : `${DIST}/`;
    // The probes of other nodes come and go.
    const helpers = () => this.pnns.map((pnn) => this.#mutexHelpers(pnn));
    const right = (paths: readonly string[], index: number) =>
      this.pnns[index] === leader
        ? paths.length > 0 && paths.every((path) => path.startsWith(expected))
        : paths.length === 0;
    await until(
      `node ${leader} alone has a helper of ${expected}`,
      SETTLE_TIMEOUT_MS,
      () => when(helpers().every(right)),
      () => `they have ${helpers().join("; ")}`,
    );
  }

  #mutexHelpers(pnn: number): readonly string[] {
    const pids = this.cluster.local.process(pnn).pids();
    return pids.map(executableOf).filter((path) => basename(path) === "ctdb_mutex_fcntl_helper");
  }

  async generation(pnn: number): Promise<number> {
    const client = await this.client(pnn);
    return must(await client.control("GETVNNMAP", undefined), "GETVNNMAP").data.generation;
  }

  /** A recovery led by whoever leads; ends when all of `pnns` have its generation. */
  async recover(pnns: readonly number[] = this.pnns): Promise<void> {
    const before = await this.generation(pnns[0] as number);
    const client = await this.client(pnns[0] as number);
    must(await client.control("SET_RECMODE", 1), "SET_RECMODE");
    await until("a recovery has come", SETTLE_TIMEOUT_MS, async () =>
      when((await this.generation(pnns[0] as number)) !== before),
    );
    await this.settled(pnns);
  }

  // --- records

  /** The database as a client of this node opens it; the caller closes it. */
  async open(pnn: number, name: string, flags = 0): Promise<RecordDatabase> {
    return await openRecords(await this.client(pnn), name, flags);
  }

  /** Locks the record, replaces its data by what `change` gives, and releases it. */
  async update(
    database: RecordDatabase,
    key: string,
    change: (data: string) => string,
  ): Promise<string> {
    const options = { timeoutMs: REQUEST_TIMEOUT_MS };
    const record = must(await database.fetchLock(textBytes(key), options), `lock "${key}"`);
    const changed = change(bytesText(record.data));
    const stored = await record.store(textBytes(changed), REQUEST_TIMEOUT_MS);
    record.release();
    must(stored, `store "${key}"`);
    return changed;
  }

  async read(database: RecordDatabase, key: string): Promise<string> {
    return bytesText(await fetchRecord(database, textBytes(key)));
  }

  async toolWrite(pnn: number, database: string, key: string, value: string): Promise<void> {
    const result = await this.cluster.stockCtdb(pnn, "writekey", database, key, value);
    if (result.code !== 0) throw new Error(`writekey on node ${pnn}: ${result.stderr}`);
  }

  /** What Debian's readkey prints: `Data: size:N ptr:[VALUE]`. */
  async toolRead(pnn: number, database: string, key: string): Promise<string> {
    const result = await this.cluster.stockCtdb(pnn, "readkey", database, key);
    if (result.code !== 0) throw new Error(`readkey on node ${pnn}: ${result.stderr}`);
    return /ptr:\[(.*)\]/.exec(result.stdout)?.[1] ?? result.stdout;
  }

  /** Every record of the node's own file, beside what its header says: nothing migrates for this. */
  async localRecords(
    pnn: number,
    name: string,
    flags: number,
  ): Promise<ReadonlyMap<string, LocalRecord>> {
    const client = await this.client(pnn);
    const attached = must(
      await attachDatabase(client, name, flags, REQUEST_TIMEOUT_MS),
      `attach "${name}" on node ${pnn}`,
    );
    const tdb = localFile(attached);
    const records = new Map<string, LocalRecord>();
    try {
      for (let chain = tdb.nextUsedChain(0); chain < tdb.hashSize; ) {
        const visit = () =>
          tdb.visitChain(chain, (key, data) => {
            records.set(bytesText(key.slice()), localRecord(data));
            return true;
          });
        // A daemon may be at work on it.
        const visited = await until("a chain is free", REQUEST_TIMEOUT_MS, () => {
          const outcome = visit();
          return outcome.ok || outcome.error.code !== "busy" ? outcome : undefined;
        });
        must(visited, `walk "${attached.path}"`);
        chain = tdb.nextUsedChain(chain + 1);
      }
    } finally {
      tdb.close();
    }
    return records;
  }
}

function localRecord(data: Uint8Array): LocalRecord {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const value = data.length > HEADER_BYTES ? bytesText(data.slice(HEADER_BYTES)) : "";
  return { dmaster: view.getUint32(8, true), flags: view.getUint32(16, true), value };
}

/** Empty for a process that has ended meanwhile. */
function executableOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
  } catch {
    return "";
  }
}

const HEADER_BYTES = 24;
export const { PERSISTENT, REPLICATED } = DB_FLAGS;
