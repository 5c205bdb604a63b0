/**
 * Real clusters for tests: `withCluster({ nodes: 3, stock: [2] }, async (cluster) => { … })` compiles
 * what is ours, makes a cluster in a directory of its own, starts it, and always stops it.
 * When the action fails, the end of every node's log goes to standard error.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CtdbClient } from "../../src/client/types.ts";
import {
  type ClusterExtras,
  type LockKind,
  STOCK_CTDBD,
} from "../../src/local/cluster_description.ts";
import { LocalCluster } from "../../src/local/local_cluster.ts";
import { connect } from "./client.ts";
import { type CommandOptions, type CommandResult, runCommand } from "./command.ts";
import { compiledExecutables, DIST } from "./executables.ts";
import { must } from "./must.ts";
import { TemporaryDirectory } from "./temp_dir.ts";

export interface ClusterOptions {
  readonly nodes: number;
  /** pnns that run Debian's ctdbd. */
  readonly stock?: readonly number[];
  readonly lock?: LockKind;
  readonly tunables?: Readonly<Record<string, number>>;
  /** Set up only; the test starts the nodes. */
  readonly startNothing?: boolean;
  readonly extras?: ClusterExtras;
}

/** For `test.skipIf(!stockInstalled())`: Debian's ctdb package is here. */
export function stockInstalled(): boolean {
  return existsSync(STOCK_CTDBD) && existsSync(STOCK_CTDB);
}

export const STOCK_CTDB = "/usr/bin/ctdb";
const CONNECT_TIMEOUT_MS = 5_000;
const LOG_LINES_SHOWN = 30;

export class TestCluster {
  readonly local: LocalCluster;
  readonly #clients: CtdbClient[] = [];

  constructor(local: LocalCluster) {
    this.local = local;
  }

  get pnns(): readonly number[] {
    return this.local.pnns;
  }
  base(pnn: number): string {
    return this.local.directory.base(pnn);
  }
  socket(pnn: number): string {
    return this.local.directory.socket(pnn);
  }
  log(pnn: number): string {
    const path = this.local.directory.log(pnn);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }
  environment(pnn: number): Record<string, string> {
    return this.local.process(pnn).environment(process.env);
  }

  /** Throws with the reason and the log to read. */
  async start(...pnns: readonly number[]): Promise<void> {
    must(await this.local.start(pnns.length === 0 ? this.pnns : pnns));
  }
  async stop(...pnns: readonly number[]): Promise<void> {
    must(await this.local.stop(pnns.length === 0 ? this.pnns : pnns));
  }
  async kill(pnn: number): Promise<void> {
    must(await this.local.kill(pnn));
  }
  /** All of `pnns` RUNNING, out of recovery, healthy in each other's eyes. */
  async waitReady(...pnns: readonly number[]): Promise<void> {
    must(await this.local.waitReady(pnns.length === 0 ? this.pnns : pnns));
  }

  /** A program with the environment of a node. */
  run(pnn: number, argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const env = { ...this.environment(pnn), ...options.env };
    return runCommand(argv, { ...options, env });
  }
  /** Our ctdb tool on a node. */
  ctdb(pnn: number, ...args: readonly string[]): Promise<CommandResult> {
    return this.run(pnn, [join(DIST, "ctdb"), ...args]);
  }
  /** Debian's ctdb tool on a node. */
  stockCtdb(pnn: number, ...args: readonly string[]): Promise<CommandResult> {
    return this.run(pnn, [STOCK_CTDB, ...args]);
  }
  /** A client of a node; closed with the cluster. */
  async connect(pnn: number): Promise<CtdbClient> {
    const client = must(await connect(this.socket(pnn), CONNECT_TIMEOUT_MS));
    this.#clients.push(client);
    return client;
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.stop();
  }

  /** The last lines of every node's log. */
  logTails(): string {
    return this.pnns
      .map((pnn) => {
        const lines = this.log(pnn).trimEnd().split("\n").slice(-LOG_LINES_SHOWN);
        return `--- log of node ${pnn}\n${lines.join("\n")}\n`;
      })
      .join("");
  }
}

export async function withCluster<T>(
  options: ClusterOptions,
  action: (cluster: TestCluster) => Promise<T>,
): Promise<T> {
  const stock = options.stock ?? [];
  const allStock = stock.length === options.nodes;
  const executableDirectory = allStock ? DIST : await compiledExecutables();
  using directory = new TemporaryDirectory("cluster");
  const { nodes, lock, tunables, extras } = options;
  const setup = await LocalCluster.setup(
    directory.path,
    {
      nodes,
      stock,
      executableDirectory,
      ...(lock === undefined ? {} : { lock }),
      ...(tunables === undefined ? {} : { tunables }),
      ...(extras === undefined ? {} : { extras }),
    },
    connect,
  );
  const cluster = new TestCluster(must(setup));
  try {
    if (options.startNothing !== true) await cluster.start();
    return await action(cluster);
  } catch (error) {
    process.stderr.write(cluster.logTails());
    throw error;
  } finally {
    await cluster.end();
  }
}
