/**
 * A cluster of hosts in network namespaces with a shared directory as cluster file system, ctdbd and
 * smbd on each, and a client host: `withNetnsCluster({ hosts: 3, kind: "ours" }, async (cluster) => …)`.
 * Everything ends and is removed afterwards, whatever happens. When the action fails, the ends of all
 * logs go to standard error.
 */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compiledExecutables } from "../support/executables.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";
import { type CtdbKind, CtdbNode } from "./ctdb_node.ts";
import { Host } from "./host.ts";
import { namespacesPossible } from "./namespaces.ts";
import { HangingFileSystem } from "./nemesis/hanging_file_system.ts";
import { Network } from "./network.ts";
import { clientOptions, Samba } from "./samba.ts";

export interface NetnsOptions {
  readonly hosts: number;
  /** For all hosts, or one for each. */
  readonly kind: CtdbKind | readonly CtdbKind[];
  readonly tunables?: Readonly<Record<string, number>>;
  /** Lines for smb.conf's global section; undefined: no smbd at all. */
  readonly samba?: readonly string[] | undefined;
  /**
   * So many addresses that any host can have, on a second network that the client is on too; the event scripts that
   * move them are enabled.
   */
  readonly publicAddresses?: number;
  /** That network, without addresses of ctdbd on it. */
  readonly publicNetwork?: boolean;
  /** Whose scripts they are; those of the daemon by default. */
  readonly scripts?: CtdbKind;
  /** More lines of ctdb.conf, with their sections. */
  readonly ctdbConf?: string;
  /** The cluster lock is on a file system that can hang. */
  readonly lockCanHang?: boolean;
  /** Before any daemon starts, on each host. */
  readonly prepare?: (host: Host) => Promise<void>;
  /** The file ctdb-appliance.conf of a host, by its address. */
  readonly applianceConf?: (address: string) => string;
}

export const PUBLIC_INTERFACE = "pub0";
const PUBLIC_PREFIX = "10.78.0";
const FIRST_PUBLIC_NUMBER = 101;

const PROGRAMS = ["/usr/sbin/ctdbd", "/usr/sbin/smbd", "/usr/bin/smbclient", "/usr/bin/nsenter"];
const READY_TIMEOUT_MS = 60_000;
const LOG_BYTES_SHOWN = 4_000;
const PREFIX = "10.77.0";
const PREFIX_LENGTH = 24;
const CLIENT_NUMBER = 200;

/** For `test.skipIf(!netnsPossible())`: root, and Debian's peers are here. */
export function netnsPossible(): boolean {
  return namespacesPossible() && PROGRAMS.every((path) => existsSync(path));
}

export class NetnsCluster {
  readonly nodes: readonly CtdbNode[];
  readonly samba: readonly Samba[];
  readonly client: Host;
  /** The cluster file system: the same path on every host. */
  readonly shared: string;
  readonly lan: Network;
  /** The file of the cluster lock. */
  readonly lockFile: string;
  /** What that file is on, if it can hang. */
  readonly lockFileSystem: HangingFileSystem | undefined;
  /** The second network, if there are public addresses. */
  readonly publicNetwork: Network | undefined;
  readonly publicAddresses: readonly string[];

  constructor(parts: {
    readonly nodes: readonly CtdbNode[];
    readonly samba: readonly Samba[];
    readonly client: Host;
    readonly shared: string;
    readonly lan: Network;
    readonly lockFile: string;
    readonly lockFileSystem: HangingFileSystem | undefined;
    readonly publicNetwork: Network | undefined;
    readonly publicAddresses: readonly string[];
  }) {
    this.nodes = parts.nodes;
    this.samba = parts.samba;
    this.client = parts.client;
    this.shared = parts.shared;
    this.lan = parts.lan;
    this.lockFile = parts.lockFile;
    this.lockFileSystem = parts.lockFileSystem;
    this.publicNetwork = parts.publicNetwork;
    this.publicAddresses = parts.publicAddresses;
  }

  host(pnn: number): Host {
    return this.node(pnn).host;
  }
  node(pnn: number): CtdbNode {
    return existing(this.nodes[pnn], `no node ${pnn}`);
  }
  smb(pnn: number): Samba {
    return existing(this.samba[pnn], `no smbd on node ${pnn}`);
  }

  /** An empty file on the share that every user may change. */
  makeSharedFile(name: string): string {
    const path = join(this.shared, name);
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    return name;
  }

  /** Each of `pnns` (default: all) is out of recovery and sees each other one healthy. */
  async waitReady(pnns: readonly number[] = this.nodes.map((_, pnn) => pnn)): Promise<void> {
    let said = "";
    for (const pnn of pnns) {
      await until(
        `node ${pnn} is healthy and out of recovery`,
        READY_TIMEOUT_MS,
        async () => {
          const health = await this.node(pnn).ctdb("nodestatus", pnns.join(","));
          const mode = await this.node(pnn).ctdb("status");
          said = health.stdout + health.stderr + mode.stdout;
          return when(health.code === 0 && /Recovery mode:NORMAL/.test(mode.stdout));
        },
        () => `it said:\n${said}`,
      );
    }
  }

  /** The pnn of the leader as node 0 knows it. */
  async leader(): Promise<number> {
    return Number((await this.node(0).mustCtdb("leader")).trim());
  }

  /** The logs of all daemons, or the ends of them. */
  logs(bytesMax = Number.POSITIVE_INFINITY): string {
    const part = (title: string, text: string) => `--- ${title}\n${text.slice(-bytesMax)}\n`;
    return [
      ...this.nodes.map((node) => part(`ctdbd of ${node.host.name}`, node.log())),
      ...this.samba.map((samba) => part(`smbd of ${samba.host.name}`, samba.log())),
    ].join("");
  }
}

/** A cluster for several tests; `end` is called whatever happens. */
export class RunningCluster {
  readonly #cluster: NetnsCluster;
  readonly #parts: Parts;

  constructor(cluster: NetnsCluster, parts: Parts) {
    this.#cluster = cluster;
    this.#parts = parts;
  }

  /** Runs an action; when it fails, the ends of all logs go to standard error. */
  async watched<T>(action: (cluster: NetnsCluster) => Promise<T>): Promise<T> {
    try {
      return await action(this.#cluster);
    } catch (error) {
      process.stderr.write(this.#cluster.logs(LOG_BYTES_SHOWN));
      throw error;
    }
  }

  end(): Promise<void> {
    return this.#parts.end();
  }
}

/** What must end and be removed. */
class Parts {
  readonly directory = new TemporaryDirectory("netns");
  readonly #ends: (() => Promise<void>)[] = [];

  add<P extends { end(): Promise<void> }>(part: P): P {
    this.#ends.push(() => part.end());
    return part;
  }
  async end(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end()));
    this.directory.remove();
  }
}

export async function startNetnsCluster(options: NetnsOptions): Promise<RunningCluster> {
  const executables = await compiledExecutables();
  const parts = new Parts();
  try {
    const cluster = await makeHosts(options, executables, parts);
    const running = new RunningCluster(cluster, parts);
    await running.watched(startDaemons);
    return running;
  } catch (error) {
    await parts.end();
    throw error;
  }
}

export async function withNetnsCluster<T>(
  options: NetnsOptions,
  action: (cluster: NetnsCluster) => Promise<T>,
): Promise<T> {
  const running = await startNetnsCluster(options);
  try {
    return await running.watched(action);
  } finally {
    await running.end();
  }
}

async function makeHosts(
  options: NetnsOptions,
  executables: string,
  parts: Parts,
): Promise<NetnsCluster> {
  const { directory } = parts;
  // Users other than root walk through it.
  chmodSync(directory.path, 0o755);
  const lockFileSystem =
    options.lockCanHang === true
      ? parts.add(await HangingFileSystem.start(directory.file("lock")))
      : undefined;
  const lockFile = join(lockFileSystem?.path ?? directory.path, "cluster.lock");
  const network = parts.add(await Network.start());
  const addHost = async (name: string, number: number): Promise<Host> => {
    const path = directory.file(name);
    mkdirSync(path);
    const address = `${PREFIX}.${number}`;
    const description = { name, address, prefixLength: PREFIX_LENGTH, directory: path };
    return parts.add(await Host.start(description, network));
  };
  const hosts: Host[] = [];
  for (let pnn = 0; pnn < options.hosts; pnn += 1) {
    hosts.push(await addHost(`host${pnn}`, pnn + 1));
  }
  const client = await addHost("client", CLIENT_NUMBER);
  client.write("/etc/samba/smb.conf", clientOptions());
  mkdirSync(client.path("/run/samba"));
  const shared = directory.file("shared");
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  const publicAddresses = Array.from(
    { length: options.publicAddresses ?? 0 },
    (_, i) => `${PUBLIC_PREFIX}.${FIRST_PUBLIC_NUMBER + i}`,
  );
  let publicNetwork: Network | undefined;
  if (publicAddresses.length > 0 || options.publicNetwork === true) {
    publicNetwork = parts.add(await Network.start());
    for (const host of hosts) await publicNetwork.connect(host.namespaces, PUBLIC_INTERFACE);
    const address = `${PUBLIC_PREFIX}.${CLIENT_NUMBER}/${PREFIX_LENGTH}`;
    await publicNetwork.connect(client.namespaces, PUBLIC_INTERFACE, address);
  }
  const { kind, tunables = {} } = options;
  const nodes = hosts.map(
    (host, pnn) =>
      new CtdbNode(host, {
        kind: typeof kind === "string" ? kind : existing(kind[pnn], `no kind for node ${pnn}`),
        executables,
        nodes: hosts.map(({ address }) => address),
        tunables,
        clusterLock: lockFile,
        scripts: options.scripts,
        applianceConf: options.applianceConf?.(host.address),
        ctdbConf: options.ctdbConf ?? "",
        publicAddresses: publicAddresses.map(
          (address) => `${address}/${PREFIX_LENGTH} ${PUBLIC_INTERFACE}`,
        ),
      }),
  );
  for (const host of options.prepare === undefined ? [] : hosts) await options.prepare?.(host);
  const extra = options.samba;
  const samba = extra === undefined ? [] : hosts.map((host) => new Samba(host, shared, extra));
  return new NetnsCluster({
    nodes,
    samba,
    client,
    shared,
    lan: network,
    lockFile,
    lockFileSystem,
    publicNetwork,
    publicAddresses,
  });
}

async function startDaemons(cluster: NetnsCluster): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await cluster.waitReady();
  const [first] = cluster.samba;
  if (first === undefined) return;
  // The first makes what is made once: the domain's SID, the registry's root.
  await first.addUser();
  // One after the other: two that open a fresh cluster's databases at the same moment may refuse with
  // NT_STATUS_POSSIBLE_DEADLOCK, a race of smbd's own.
  for (const samba of cluster.samba) await samba.start();
}

function existing<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(what);
  return value;
}
