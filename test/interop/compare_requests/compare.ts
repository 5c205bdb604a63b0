/** Runs the command lines of compare_tool with both tools through a proxy that records what they ask. */
import { join } from "node:path";
import { compiledExecutables } from "../../support/executables.ts";
import { STOCK_CTDB, type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { type Case, casesFor } from "../compare_tool/cases.ts";
import { startInOrder, withPlaces } from "../compare_tool/compare.ts";
import { RecordingProxy, type SentRequest } from "./recording_proxy.ts";

export interface Recorded {
  readonly stderr: string;
  readonly requests: readonly SentRequest[];
  /** Names of what was asked and not answered when the tool left. */
  readonly waiting: readonly string[];
}

export interface RecordedCase {
  readonly args: readonly string[];
  readonly stock: Recorded;
  readonly ours: Recorded;
}

const NODES = 3;
const OWN = 0;
const HANGS = 2;

/** Every command line on healthy nodes of a kind, with the stock tool and then with ours. */
export async function recordTools(
  kind: "stock" | "ours",
  wanted: (entry: Case) => boolean = () => true,
): Promise<readonly RecordedCase[]> {
  const ours = join(await compiledExecutables(), "ctdb");
  const stockNodes = kind === "stock" ? [0, 1, 2] : [];
  const tunables = { RerecoveryTimeout: 1 };
  const options = { nodes: NODES, stock: stockNodes, startNothing: true, tunables };
  return await withCluster(options, async (cluster) => {
    await startInOrder(cluster);
    const proxy = await proxyOf(cluster);
    const recorded: RecordedCase[] = [];
    for (const entry of casesFor("healthy").filter(wanted)) {
      if ((entry.on ?? OWN) !== OWN || entry.restart !== undefined) continue;
      const expected = await record(cluster, proxy, STOCK_CTDB, entry);
      const got = await record(cluster, proxy, ours, entry);
      recorded.push({ args: entry.args, stock: expected, ours: got });
    }
    proxy.close();
    return recorded;
  });
}

/** The commands that show the cluster, on our nodes, while one that does not lead hangs. */
export async function recordWhilePeerHangs(
  lines: readonly string[],
): Promise<readonly RecordedCase[]> {
  const tool = join(await compiledExecutables(), "ctdb");
  return await withCluster({ nodes: NODES, startNothing: true }, async (cluster) => {
    await cluster.start(OWN);
    await cluster.start(...cluster.pnns.filter((pnn) => pnn !== OWN));
    const proxy = await proxyOf(cluster);
    const pid = Number((await cluster.ctdb(HANGS, "getpid")).stdout);
    process.kill(pid, "SIGSTOP");
    try {
      const recorded: RecordedCase[] = [];
      for (const line of lines) {
        const args = line.split(" ");
        // The limit is only that of the original: ours ends long before.
        const stock = await record(cluster, proxy, STOCK_CTDB, { args: ["-t", "1", ...args] });
        const ours = await record(cluster, proxy, tool, { args });
        recorded.push({ args, stock, ours });
      }
      return recorded;
    } finally {
      process.kill(pid, "SIGCONT");
      proxy.close();
    }
  });
}

function proxyOf(cluster: TestCluster): Promise<RecordingProxy> {
  const path = join(cluster.base(OWN), "proxy.socket");
  return RecordingProxy.listen(path, cluster.socket(OWN), OWN);
}

async function record(
  cluster: TestCluster,
  proxy: RecordingProxy,
  tool: string,
  entry: Case,
): Promise<Recorded> {
  const stock = (args: readonly string[]) => cluster.stockCtdb(OWN, ...withPlaces(cluster, args));
  for (const args of entry.before ?? []) await stock(args);
  const env = { CTDB_SOCKET: proxy.path };
  const { stderr } = await cluster.run(OWN, [tool, ...withPlaces(cluster, entry.args)], { env });
  const conversations = proxy.take();
  for (const undo of entry.undo ?? []) await stock(undo);
  return {
    stderr,
    requests: conversations.flatMap(({ requests }) => requests),
    waiting: conversations.flatMap(({ waiting }) => [...waiting.values()]),
  };
}
