/**
 * Captures real traffic of three stock nodes while stock tools use them, and writes a few packets of each
 * kind to test/golden/wire/ (`*.bin`: raw packets one after another; `index.txt`: what each is).
 *
 * Run as root inside a network namespace of its own:
 * `unshare -n sh -c 'ip link set lo up; bun run test/interop/golden_capture/capture.ts [PROGRAMS]'`
 * PROGRAMS is a directory with upstream's CTDB test programs; without it their steps are left out.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../support/command.ts";
import { STOCK_CTDB, type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { PROJECT } from "../../support/source_tree.ts";
import { withTemporaryDirectory } from "../../support/temp_dir.ts";
import { Collection, type KeptPacket, type Side } from "./collection.ts";
import { type Step, steps } from "./commands.ts";
import { tcpStreams } from "./pcap.ts";
import { SocketProxy } from "./socket_proxy.ts";

const GOLDEN = join(PROJECT, "test/golden/wire");
const CTDB_PORT = 4379;
const STEP_TIMEOUT_MS = 40_000;
const FLUSH_MS = 1_500;

async function main(programs: string | undefined): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const capture = join(directory, "capture.pcap");
    const tcpdump = Bun.spawn(
      ["tcpdump", "-i", "lo", "-s", "0", "-U", "-w", capture, `tcp port ${CTDB_PORT}`],
      { stdout: "ignore", stderr: "ignore" },
    );
    while (!existsSync(capture)) await Bun.sleep(50);
    const collection = new Collection();
    try {
      await withCluster({ nodes: 3, stock: [0, 1, 2], startNothing: true }, async (cluster) => {
        for (const pnn of cluster.pnns) {
          const addresses = [1, 2, 3].map((last) => `10.99.99.${last}/24 lo\n`).join("");
          writeFileSync(join(cluster.base(pnn), "public_addresses"), addresses);
        }
        await cluster.start();
        await useCluster(cluster, directory, programs, collection);
      });
      await Bun.sleep(FLUSH_MS);
    } finally {
      tcpdump.kill("SIGTERM");
      await tcpdump.exited;
    }
    collectNodeLinks(readFileSync(capture), collection);
    write(collection.packets);
  }, "golden");
}

async function useCluster(
  cluster: TestCluster,
  directory: string,
  programs: string | undefined,
  collection: Collection,
): Promise<void> {
  const proxies = cluster.pnns.map((pnn) => {
    const path = join(directory, `proxy.${pnn}`);
    return { path, proxy: new SocketProxy(path, cluster.socket(pnn)) };
  });
  for (const step of steps(join(directory, "backup"))) {
    const argv = stepCommand(step, programs);
    if (argv === undefined) continue;
    const pnns = step.kind === "ctdb" ? [step.pnn] : cluster.pnns;
    await Promise.all(
      pnns.map(async (pnn) => {
        const env = { ...cluster.environment(pnn), CTDB_SOCKET: proxies[pnn]?.path ?? "" };
        const result = await runCommand(argv, { env, timeoutMs: STEP_TIMEOUT_MS });
        const said = result.code === 0 ? "" : ` ${result.stderr.trim()}`;
        console.error(`${result.code} node ${pnn}: ${argv.slice(1).join(" ")}${said}`);
      }),
    );
  }
  for (const { proxy } of proxies) {
    proxy.close();
    for (const { toDaemon, toClient } of proxy.connections) {
      collection.addConversation(
        { bytes: joined(toDaemon), side: "to_daemon" },
        { bytes: joined(toClient), side: "to_client" },
      );
    }
  }
}

function stepCommand(step: Step, programs: string | undefined): readonly string[] | undefined {
  if (step.kind === "ctdb") return [STOCK_CTDB, ...step.args];
  const [name, ...args] = step.argv;
  return programs === undefined ? undefined : [join(programs, name ?? ""), ...args];
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks as Uint8Array[]));
}

/** A node sends on the connection that it made: requests of A to B and B's replies are two of them. */
function collectNodeLinks(capture: Uint8Array, collection: Collection): void {
  const sending = tcpStreams(capture).filter((stream) => stream.destinationPort === CTDB_PORT);
  const side: Side = "node";
  const host = (end: string | undefined) => (end ?? "").split(":")[0];
  for (const stream of sending) {
    const [from, to] = stream.flow.split(">");
    const back = sending.filter((other) => {
      const [otherFrom, otherTo] = other.flow.split(">");
      return host(otherFrom) === host(to) && host(otherTo) === host(from);
    });
    const replies = joined(back.map((other) => other.bytes));
    collection.addConversation({ bytes: stream.bytes, side }, { bytes: replies, side });
  }
}

function write(packets: readonly KeptPacket[]): void {
  mkdirSync(GOLDEN, { recursive: true });
  const lines = [
    "# Packets of Debian's stock CTDB 4.17, captured; written by test/interop/golden_capture/capture.ts",
    "# file offset bytes side operation control-or-srvid",
  ];
  for (const side of ["node", "to_daemon", "to_client"] as const) {
    const file = `${side}.bin`;
    const own = packets.filter((packet) => packet.side === side);
    let offset = 0;
    for (const { operation, detail, bytes } of own) {
      lines.push(`${file} ${offset} ${bytes.length} ${side} ${operation} ${detail}`);
      offset += bytes.length;
    }
    writeFileSync(join(GOLDEN, file), joined(own.map((packet) => packet.bytes)));
  }
  writeFileSync(join(GOLDEN, "index.txt"), `${lines.join("\n")}\n`);
}

await main(process.argv[2]);
