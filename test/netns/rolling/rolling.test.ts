/**
 * A cluster of three nodes of Debian's ctdbd with smbd becomes one of ours, node by node, and goes back, while its
 * clients work: counters in records and in transactions on every node, and SMB clients of the public addresses. What was
 * acknowledged is there at the end, and nobody has waited longer than a recovery may take.
 */
import { expect, test } from "bun:test";
import { until, when } from "../../support/until.ts";
import { type NetnsCluster, netnsPossible, withNetnsCluster } from "../cluster.ts";
import type { CtdbKind } from "../ctdb_node.ts";
import { Journal } from "../journal.ts";
import { SHARE } from "../samba.ts";
import { SmbClient } from "../smb2/client.ts";
import { COUNTER } from "./counting_process.ts";
import { Tally, Worker } from "./worker.ts";
import type { WorkKind } from "./worker_protocol.ts";

const TEST_TIMEOUT_MS = 400_000;
const KINDS: readonly WorkKind[] = ["record", "transaction", "smb"];
/** RecoverTimeout, and 5 s. */
const LONGEST_WAIT_MS = 35_000;
const PLACED_TIMEOUT_MS = 60_000;
const FILE = "data";
const JOURNAL = "/var/log/journal";
const PROGRESS = 5;

/** smbd begins and ends with ctdbd, and without it the node is not healthy: nobody is sent to where nobody serves. */
const SMBD_SCRIPT = `#!/bin/bash
serves() { (exec 3<>/dev/tcp/127.0.0.1/445) 2>/dev/null; }
case "$1" in
startup)
	serves || smbd -D </dev/null >/dev/null 2>&1
	;;
shutdown)
	pid=$(cat /run/samba/smbd.pid 2>/dev/null) && kill "$pid" 2>/dev/null
	;;
monitor)
	serves || { echo "smbd does not serve"; exit 1; }
	;;
esac
exit 0
`;

class RollingWorld {
  readonly cluster: NetnsCluster;
  readonly tally = new Tally();
  readonly #counting = new Map<number, Worker>();
  readonly #smb: Worker[] = [];

  constructor(cluster: NetnsCluster) {
    this.cluster = cluster;
  }

  begin(): void {
    const { client, publicAddresses, nodes } = this.cluster;
    for (const node of nodes) node.addScript("50.smbd", SMBD_SCRIPT);
    for (const pnn of nodes.keys()) this.#beginCounting(pnn);
    for (const [number, address] of publicAddresses.entries()) {
      const args = [address, SHARE, FILE, String(number), JOURNAL];
      this.#smb.push(new Worker(client, "smb_process.ts", args, this.tally));
    }
  }

  #beginCounting(pnn: number): void {
    const worker = new Worker(this.cluster.host(pnn), "counting_process.ts", [], this.tally);
    this.#counting.set(pnn, worker);
  }

  async everybodyProgresses(): Promise<void> {
    const workers = [...this.#counting.values(), ...this.#smb];
    await Promise.all(workers.map((worker) => worker.progresses(PROGRESS)));
  }

  async replace(pnn: number, kind: CtdbKind): Promise<void> {
    const startMs = Date.now();
    const node = this.cluster.node(pnn);
    await this.everybodyProgresses();
    // The clients of a node end before it does. A record that nobody else has asked for since would go with it.
    await this.#counting.get(pnn)?.stop();
    this.#counting.delete(pnn);
    await this.everybodyProgresses();
    await node.stop();
    node.become(kind);
    node.addScript("50.smbd", SMBD_SCRIPT);
    await node.start();
    await this.cluster.waitReady();
    await this.#hasAddress(pnn);
    this.#beginCounting(pnn);
    await this.everybodyProgresses();
    const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
    const waits = KINDS.map((one) => `${one} ${(this.tally.longestMs(one) / 1000).toFixed(1)} s`);
    process.stdout.write(
      `rolling: node ${pnn} is ${kind} after ${seconds} s; longest waits so far: ${waits.join(", ")}\n`,
    );
  }

  async #hasAddress(pnn: number): Promise<void> {
    let said = "";
    await until(
      `node ${pnn} has a public address`,
      PLACED_TIMEOUT_MS,
      async () => {
        said = await this.cluster.node(pnn).mustCtdb("-X", "ip", "all");
        return when(said.split("\n").some((line) => line.endsWith(`|${pnn}|`)));
      },
      () => said,
    );
  }

  async end(): Promise<void> {
    const workers = [...this.#counting.values(), ...this.#smb];
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

test.skipIf(!netnsPossible())(
  "a stock cluster becomes ours and stock again under load: nothing is lost, nobody waits too long",
  async () => {
    const options = { hosts: 3, kind: "stock", samba: [], publicAddresses: 3 } as const;
    await withNetnsCluster(options, async (cluster) => {
      cluster.makeSharedFile(FILE);
      const world = new RollingWorld(cluster);
      world.begin();
      for (const kind of ["ours", "stock"] as const) {
        for (const pnn of cluster.nodes.keys()) await world.replace(pnn, kind);
      }
      await world.end();
      const { tally } = world;
      for (const kind of KINDS) {
        process.stdout.write(
          `rolling: ${kind}: ${tally.count(kind)} acknowledged, ` +
            `longest wait ${(tally.longestMs(kind) / 1000).toFixed(2)} s\n`,
        );
        expect(tally.count(kind)).toBeGreaterThan(0);
        expect(tally.longestMs(kind)).toBeLessThan(LONGEST_WAIT_MS);
      }
      const journal = new Journal(cluster.client.path(JOURNAL));
      const invented = new Journal(cluster.client.path("/var/log/invented"));
      invented.acknowledged(0, "never/written");
      for (const [pnn, node] of cluster.nodes.entries()) {
        const answer = await node.mustCtdb("readkey", COUNTER.volatile, COUNTER.key);
        expect([pnn, numberIn(answer)]).toEqual([pnn, tally.count("record")]);
        const kept = await node.mustCtdb("pfetch", COUNTER.persistent, COUNTER.key);
        expect([pnn, Number(kept)]).toEqual([pnn, tally.count("transaction")]);
        const reader = await SmbClient.connect(cluster.client, cluster.host(pnn).address);
        expect([pnn, await journal.missing(reader, FILE)]).toEqual([pnn, []]);
        expect(await invented.missing(reader, FILE)).toEqual(["0 never/written"]);
        await reader.end();
      }
    });
  },
  TEST_TIMEOUT_MS,
);

/** Debian's readkey prints `Data: size:N ptr:[VALUE]`. */
function numberIn(said: string): number {
  return Number(/ptr:\[(.*)\]/.exec(said)?.[1] ?? Number.NaN);
}
