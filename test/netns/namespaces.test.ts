/** The harness itself: nothing stays behind. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { until, when } from "../support/until.ts";
import { netnsPossible, withNetnsCluster } from "./cluster.ts";
import { Namespaces, namespacesPossible } from "./namespaces.ts";

const DEADLINE_MS = 10_000;
const TEST_TIMEOUT_MS = 120_000;

/** Processes of the whole machine with this network namespace. */
function processesIn(network: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readlinkSync(`/proc/${pid}/ns/net`) === network;
    } catch {
      // It has ended.
      return false;
    }
  });
}

function networkOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}

const DAEMON = ["sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 </dev/null &"];

test.skipIf(!namespacesPossible())("Namespaces.end() ends daemons too", async () => {
  const machine = await Namespaces.start("machine");
  const network = networkOf(machine.pid);
  const before = processesIn(network).length;
  await machine.must(DAEMON);
  expect(processesIn(network).length).toBeGreaterThan(before);
  await machine.end();
  expect(processesIn(network)).toEqual([]);
});

test.skipIf(!namespacesPossible())("Namespaces end with a test that is killed", async () => {
  const program = `
    import { Namespaces } from ${JSON.stringify(new URL("namespaces.ts", import.meta.url).pathname)};
    const machine = await Namespaces.start("machine");
    await machine.must(${JSON.stringify(DAEMON)});
    console.log(machine.pid);
    await new Promise(() => setInterval(() => {}, 1000));
  `;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  const first = await child.stdout.getReader().read();
  const network = networkOf(Number(new TextDecoder().decode(first.value).trim()));
  child.kill("SIGKILL");
  await until("its processes have ended", DEADLINE_MS, () =>
    when(processesIn(network).length === 0),
  );
});

test.skipIf(!namespacesPossible())("Namespaces collect orphans that die", async () => {
  const machine = await Namespaces.start("machine");
  try {
    await machine.must(["sh", "-c", "(sleep 0.05 &) ; exit 0"]);
    await until("only the first process and ps are there", DEADLINE_MS, async () => {
      const lines = (await machine.must(["ps", "-eo", "stat,comm"])).trim().split("\n");
      return when(lines.length === 3);
    });
  } finally {
    await machine.end();
  }
});

test.skipIf(!netnsPossible())(
  "withNetnsCluster() removes everything when its action fails",
  async () => {
    let directory = "";
    let networks: readonly string[] = [];
    const failing = withNetnsCluster({ hosts: 1, kind: "stock" }, async (cluster) => {
      directory = cluster.host(0).path("/");
      networks = [cluster.host(0), cluster.client].map((host) => networkOf(host.namespaces.pid));
      throw new Error("as intended");
    });
    await expect(failing).rejects.toThrow("as intended");
    expect(directory).not.toBe("");
    expect(existsSync(directory)).toBe(false);
    expect(networks.flatMap(processesIn)).toEqual([]);
  },
  TEST_TIMEOUT_MS,
);
