/**
 * A cluster of several ctdbd on this machine, for trying, testing and measuring.
 *
 * 1. Everything about it stands in its directory; two clusters do not meet.
 * 2. Every wait is bounded and says what was missing when it ended.
 * 3. Only processes that /proc shows as this cluster's are ever signalled.
 */
import { done, err, ok, type Result } from "../base/result.ts";
import { chooseAddresses } from "./addresses.ts";
import {
  type ClusterDescription,
  ClusterDirectory,
  type ClusterExtras,
  type LocalNode,
  type LockKind,
  NODES_MAX,
  STOCK_CTDBD,
} from "./cluster_description.ts";
import { writeNodeFiles } from "./node_files.ts";
import { askHealth, type Connect, flagsText, type NodeHealth, notReady } from "./node_health.ts";
import { NodeProcess } from "./node_process.ts";
import { askStockVersion } from "./stock_version.ts";

export interface SetupOptions {
  readonly nodes: number;
  readonly lock?: LockKind;
  /** pnns that run the stock daemon. */
  readonly stock?: readonly number[];
  readonly stockCtdbd?: string;
  /** Where our executables lie. */
  readonly executableDirectory: string;
  readonly logLevel?: string;
  readonly tunables?: Readonly<Record<string, number>>;
  /** Instead of free ones of the loopback interface. */
  readonly addresses?: readonly string[];
  readonly extras?: ClusterExtras;
}

export interface NodeStatus {
  readonly node: LocalNode;
  readonly pid: number | undefined;
  /** undefined when the process does not run. */
  readonly health: NodeHealth | undefined;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 5_000;
/** The stock event daemon looks for its parent every 5 s. */
const ORPHAN_TIMEOUT_MS = 8_000;
const POLL_MS = 50;

export class LocalCluster {
  readonly directory: ClusterDirectory;
  readonly description: ClusterDescription;
  readonly #connect: Connect;

  private constructor(
    directory: ClusterDirectory,
    description: ClusterDescription,
    connect: Connect,
  ) {
    this.directory = directory;
    this.description = description;
    this.#connect = connect;
  }

  /** Makes the directory, or makes its cluster anew; refuses while that one's nodes run. */
  static async setup(
    path: string,
    options: SetupOptions,
    connect: Connect,
  ): Promise<Result<LocalCluster>> {
    const { nodes } = options;
    if (!Number.isInteger(nodes) || nodes < 1 || nodes > NODES_MAX) {
      return err(`Cannot set up "${path}": expected 1 to ${NODES_MAX} nodes, got "${nodes}"`);
    }
    const foreign = (options.stock ?? []).filter((pnn) => !(pnn >= 0 && pnn < nodes));
    if (foreign.length > 0) {
      return err(
        `Cannot set up "${path}": expected stock nodes below ${nodes}, got "${foreign[0]}"`,
      );
    }
    const directory = new ClusterDirectory(path);
    const earlier = LocalCluster.open(path, connect);
    if (earlier.ok && earlier.value.runningNodes().length > 0) {
      return err(`Cannot set up "${path}": nodes of its cluster run, stop them first`);
    }
    const addresses =
      options.addresses === undefined
        ? await chooseAddresses(directory.path, nodes)
        : ok(options.addresses);
    if (!addresses.ok) return addresses;
    const stock = new Set(options.stock ?? []);
    const stockCtdbd = options.stockCtdbd ?? STOCK_CTDBD;
    const mixed = stock.size > 0 && stock.size < nodes;
    const version = mixed ? await askStockVersion(stockCtdbd, directory.probe) : undefined;
    if (version?.ok === false) return version;
    const description: ClusterDescription = {
      format: 1,
      nodes: addresses.value.map((address, pnn) => ({ pnn, address, stock: stock.has(pnn) })),
      lock: options.lock ?? "none",
      stockCtdbd,
      ...(version === undefined ? {} : { stockSambaVersion: version.value }),
      executableDirectory: options.executableDirectory,
      logLevel: options.logLevel ?? "INFO",
      tunables: options.tunables ?? {},
      ...options.extras,
    };
    directory.write(description);
    for (const node of description.nodes) writeNodeFiles(directory, description, node);
    return ok(new LocalCluster(directory, description, connect));
  }

  static open(path: string, connect: Connect): Result<LocalCluster> {
    const directory = new ClusterDirectory(path);
    const description = directory.read();
    if (!description.ok) return description;
    return ok(new LocalCluster(directory, description.value, connect));
  }

  get pnns(): readonly number[] {
    return this.description.nodes.map((node) => node.pnn);
  }

  process(pnn: number): NodeProcess {
    const node = this.description.nodes[pnn];
    if (node === undefined) {
      throw new RangeError(`expected a node below ${this.description.nodes.length}, got "${pnn}"`);
    }
    return new NodeProcess(this.directory, this.description, node);
  }

  /** pnns whose ctdbd runs. */
  runningNodes(): readonly number[] {
    return this.pnns.filter((pnn) => this.process(pnn).daemonPid() !== undefined);
  }

  /** Starts nodes that do not run yet and waits until they, and the running ones, are up together. */
  async start(
    pnns: readonly number[] = this.pnns,
    timeoutMs = START_TIMEOUT_MS,
  ): Promise<Result<void>> {
    const absent = pnns.filter((pnn) => this.process(pnn).daemonPid() === undefined);
    const started = await Promise.all(absent.map((pnn) => this.#startNode(this.process(pnn))));
    const failures = started.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
    if (failures.length > 0) return err(failures.join("\n"));
    return await this.waitReady(pnns, timeoutMs);
  }

  /** After a kill the children of the old ctdbd still hold its sockets for some seconds. */
  async #startNode(process: NodeProcess): Promise<Result<void>> {
    if (!(await waitFor(() => process.pids().length === 0, ORPHAN_TIMEOUT_MS))) {
      for (const orphan of process.pids()) process.signal(orphan, "SIGKILL");
    }
    return await process.start();
  }

  /** Waits until all of `pnns` are RUNNING, out of recovery, and see each other healthy. */
  async waitReady(
    pnns: readonly number[] = this.pnns,
    timeoutMs = START_TIMEOUT_MS,
  ): Promise<Result<void>> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const reasons = await this.#unready(pnns);
      if (reasons.length === 0) return done;
      const dead = pnns.filter((pnn) => this.process(pnn).daemonPid() === undefined);
      if (performance.now() > deadline || (await this.#stayDead(dead))) {
        const logs = reasons.map(({ pnn, reason }) => {
          const state = dead.includes(pnn) ? "its ctdbd has ended" : reason;
          return `Node ${pnn} is not up: ${state}; read "${this.directory.log(pnn)}"`;
        });
        return err(logs.join("\n"));
      }
      await pause(POLL_MS);
    }
  }

  async #unready(pnns: readonly number[]): Promise<{ pnn: number; reason: string }[]> {
    const asked = await Promise.all(
      pnns.map(async (pnn) => {
        const health = await askHealth(this.#connect, this.directory.socket(pnn));
        return { pnn, reason: notReady(health, pnn, pnns) };
      }),
    );
    return asked.flatMap(({ pnn, reason }) => (reason === undefined ? [] : [{ pnn, reason }]));
  }

  /** A daemon writes its pid file a moment after it went into the background. */
  async #stayDead(pnns: readonly number[]): Promise<boolean> {
    if (pnns.length === 0) return false;
    const appeared = () => pnns.some((pnn) => this.process(pnn).daemonPid() !== undefined);
    return !(await waitFor(appeared, END_TIMEOUT_MS));
  }

  /** Orderly shutdown, by signals where that does not work; true only when no process is left. */
  async stop(pnns: readonly number[] = this.pnns): Promise<Result<void>> {
    const outcomes = await Promise.all(pnns.map((pnn) => this.#stopNode(this.process(pnn))));
    const failures = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
    return failures.length === 0 ? done : err(failures.join("\n"));
  }

  async #stopNode(process: NodeProcess): Promise<Result<void>> {
    const pid = process.daemonPid();
    if (pid !== undefined) {
      process.signal(pid, "SIGCONT");
      const client = await this.#connect(process.socket, END_TIMEOUT_MS);
      if (client.ok) {
        client.value.controlNoReply("SHUTDOWN", undefined);
        client.value.close();
      } else {
        process.signal(pid, "SIGTERM");
      }
      await waitFor(() => process.daemonPid() !== pid, STOP_TIMEOUT_MS);
    }
    if (await waitFor(() => process.pids().length === 0, END_TIMEOUT_MS)) return done;
    for (const left of process.pids()) process.signal(left, "SIGKILL");
    if (await waitFor(() => process.pids().length === 0, END_TIMEOUT_MS)) return done;
    const left = process.pids().join(", ");
    return err(`Cannot stop node ${process.node.pnn}: processes ${left} do not end`);
  }

  /** SIGKILL to the node's ctdbd, which does nothing more; waits until it has gone. */
  async kill(pnn: number): Promise<Result<void>> {
    const process = this.process(pnn);
    const pid = process.daemonPid();
    if (pid === undefined) return err(`Cannot kill node ${pnn}: its ctdbd does not run`);
    process.signal(pid, "SIGKILL");
    if (await waitFor(() => process.daemonPid() !== pid, END_TIMEOUT_MS)) return done;
    return err(`Cannot kill node ${pnn}: process ${pid} does not end`);
  }

  async status(): Promise<readonly NodeStatus[]> {
    return await Promise.all(
      this.description.nodes.map(async (node) => {
        const pid = this.process(node.pnn).daemonPid();
        const health =
          pid === undefined
            ? undefined
            : await askHealth(this.#connect, this.directory.socket(node.pnn));
        return { node, pid, health };
      }),
    );
  }
}

/** One line for a node, for people. */
export function statusLine(status: NodeStatus): string {
  const { node, pid, health } = status;
  const kind = node.stock ? "stock" : "ours";
  const head = `node ${node.pnn}  ${node.address.padEnd(15)} ${kind.padEnd(5)}`;
  if (pid === undefined || health === undefined) return `${head}  not running`;
  if (health.failure !== undefined) return `${head}  pid ${pid}  ${health.failure}`;
  const recovery = health.recovering ? ", in recovery" : "";
  const flags = flagsText(health.flags[node.pnn] ?? 0);
  return `${head}  pid ${pid}  ${health.runstate} ${flags}${recovery}`;
}

async function waitFor(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await pause(POLL_MS);
  }
  return true;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
