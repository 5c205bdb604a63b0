/** 60.nfs with NFS-Ganesha on two hosts and clients of NFSv3 and NFSv4 on a third. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";
import { GaneshaNode, ganeshaPossible } from "./ganesha.ts";
import { Host } from "./host.ts";
import { Network } from "./network.ts";

const TEST_TIMEOUT_MS = 180_000;
const GRACE_TIMEOUT_MS = 30_000;
const RESTART_TIMEOUT_MS = 30_000;
const PUBLIC = "10.88.0.100";
const LARGE_BYTES = 64 << 20;

interface Scene {
  readonly nodes: readonly [GaneshaNode, GaneshaNode];
  readonly client: Host;
  /** The directory that all hosts share. */
  readonly shared: string;
}

async function withNodes(action: (scene: Scene) => Promise<void>): Promise<void> {
  using directory = new TemporaryDirectory("nfs");
  const shared = directory.file("shared");
  for (const name of ["state", "export"]) mkdirSync(join(shared, name), { recursive: true });
  const network = await Network.start();
  const hosts: Host[] = [];
  try {
    for (const [at, name] of ["one", "two", "client"].entries()) {
      const address = `10.88.0.${at + 1}`;
      const own = directory.file(name);
      mkdirSync(own);
      hosts.push(await Host.start({ name, address, prefixLength: 24, directory: own }, network));
    }
    const [one, two, client] = hosts as [Host, Host, Host];
    const nodes = [
      await GaneshaNode.start(one, shared),
      await GaneshaNode.start(two, shared),
    ] as const;
    await action({ nodes, client, shared });
  } finally {
    for (const host of hosts) await host.end();
    await network.end();
  }
}

const url = (scene: Scene, version: 3 | 4, name: string) =>
  `nfs://${PUBLIC}${version === 3 ? join(scene.shared, "export") : "/export"}/${name}?version=${version}`;

/**
 * Nobody may open for writing in the grace period: asked until it is over. A failed attempt leaves an empty file, so
 * each has a name of its own; the one that succeeded is returned.
 */
async function copyIn(scene: Scene, version: 3 | 4, text: string): Promise<string> {
  scene.client.write("/run/source", text);
  let attempts = 0;
  let last = "";
  const name = await until(
    `NFSv${version} takes a file`,
    GRACE_TIMEOUT_MS,
    async () => {
      attempts += 1;
      const file = `${text.trim()}.${version}.${attempts}`;
      const argv = ["nfs-cp", "/run/source", url(scene, version, file)];
      const { code, stdout, stderr } = await scene.client.run(argv);
      last = stdout + stderr;
      return code === 0 ? file : undefined;
    },
    () => last,
  );
  expect(readFileSync(join(scene.shared, "export", name), "utf8")).toBe(text);
  return name;
}

test.skipIf(!ganeshaPossible())(
  "clients of NFSv3 and NFSv4 are served by the node that took the address of a killed one",
  async () => {
    await withNodes(async (scene) => {
      const [one, two] = scene.nodes;
      for (const node of scene.nodes) expect((await node.event("monitor")).stdout).toBe("");
      await one.take(PUBLIC);
      const written = await copyIn(scene, 4, "one\n");
      await copyIn(scene, 3, "one\n");

      // The client is in the files of the first node, where the second will look for it.
      const files = join(scene.shared, "state/ganesha/one/ganesha/v4recov");
      const known = readdirSync(files, { recursive: true }).filter((name) =>
        /Libnfs/.test(`${name}`),
      );
      expect(known.length).toBeGreaterThan(0);

      await one.host.end();
      await two.take(PUBLIC);
      // Nobody announces the address in this test.
      await scene.client.must(["ip", "neigh", "flush", "all"]);
      // Only its log shows whom it lets claim what was open.
      await until("the second node expects the client", GRACE_TIMEOUT_MS, () =>
        when(/added \S+\(\d+:Libnfs [^\n]* to clid list/.test(two.log())),
      );
      const { stdout } = await scene.client.run(["nfs-cat", url(scene, 3, written)]);
      expect(stdout).toBe("one\n");
      for (const version of [3, 4] as const) await copyIn(scene, version, "two\n");
    });
  },
  TEST_TIMEOUT_MS,
);

test.skipIf(!ganeshaPossible())(
  "a client of NFSv3 that reads while the address moves has read all of it",
  async () => {
    await withNodes(async (scene) => {
      const [one, two] = scene.nodes;
      await one.take(PUBLIC);
      writeFileSync(join(scene.shared, "export/large"), Buffer.alloc(LARGE_BYTES, "0123456789\n"));
      const reader = scene.client.namespaces.spawn(["nfs-cat", url(scene, 3, "large")]);
      const stream = reader.stdout.getReader();
      // Its output is not taken any further, so it has to wait with most of the file unread.
      let seen = (await stream.read()).value?.length ?? 0;
      expect(seen).toBeGreaterThan(0);
      expect(seen).toBeLessThan(LARGE_BYTES / 2);
      await one.host.end();
      await two.take(PUBLIC);
      await scene.client.must(["ip", "neigh", "flush", "all"]);
      for (let part = await stream.read(); !part.done; part = await stream.read()) {
        seen += part.value.length;
      }
      expect(await new Response(reader.stderr).text()).toBe("");
      expect(seen).toBe(LARGE_BYTES);
      expect(await reader.exited).toBe(0);
    });
  },
  TEST_TIMEOUT_MS,
);

test.skipIf(!ganeshaPossible())(
  "a Ganesha that dies makes its node unhealthy, is started again and stops with the node",
  async () => {
    await withNodes(async ({ nodes: [node] }) => {
      await node.must("monitor");
      await node.host.must(["pkill", "-9", "-x", "ganesha.nfsd"]);
      const { code, stdout } = await node.event("monitor");
      expect(stdout).toContain("NFS Ganesha not running");
      expect(code).toBe(1);
      // The second failure restarts it.
      await until("it is healthy again", RESTART_TIMEOUT_MS, async () =>
        when((await node.event("monitor")).code === 0),
      );
      await node.must("shutdown");
      expect((await node.host.run(["pgrep", "-x", "ganesha.nfsd"])).code).toBe(1);
    });
  },
  TEST_TIMEOUT_MS,
);
