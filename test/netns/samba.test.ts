/**
 * Debian's smbd, clustered, on three hosts over our ctdbd: what one node knows, the others know.
 * One cluster serves all tests; each looks at one thing.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import type { CommandResult } from "../support/command.ts";
import { until, when } from "../support/until.ts";
import {
  type NetnsCluster,
  netnsPossible,
  type RunningCluster,
  startNetnsCluster,
} from "./cluster.ts";
import { PASSWORD, SHARE, USER } from "./samba.ts";
import { ACCESS, SHARING, SmbClient } from "./smb2/client.ts";
import { STATUS } from "./smb2/connection.ts";

const here = netnsPossible();
const START_TIMEOUT_MS = 120_000;
const TEST_TIMEOUT_MS = 120_000;
const RELEASE_TIMEOUT_MS = 15_000;
const ALL = [0, 1, 2];

let running: RunningCluster | undefined;

beforeAll(async () => {
  if (here) running = await startNetnsCluster({ hosts: 3, kind: "ours", samba: [] });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await running?.end();
}, START_TIMEOUT_MS);

function inCluster(name: string, action: (cluster: NetnsCluster) => Promise<void>): void {
  test.skipIf(!here)(
    name,
    async () => {
      if (running === undefined) throw new Error("the cluster did not start");
      await running.watched(action);
    },
    TEST_TIMEOUT_MS,
  );
}

function smbclient(cluster: NetnsCluster, pnn: number, command: string): Promise<CommandResult> {
  const unc = `//${cluster.host(pnn).address}/${SHARE}`;
  return cluster.client.run(["smbclient", unc, "-U", `${USER}%${PASSWORD}`, "-c", command]);
}

async function connectAll(cluster: NetnsCluster): Promise<readonly SmbClient[]> {
  return await Promise.all(
    ALL.map((pnn) => SmbClient.connect(cluster.client, cluster.host(pnn).address)),
  );
}

inCluster("smbclient writes through one node and reads through the others", async (cluster) => {
  for (const writer of ALL) {
    const text = `written through node ${writer}`;
    writeFileSync(cluster.client.path("/var/log/upload"), text);
    const put = await smbclient(cluster, writer, `put /var/log/upload file${writer}`);
    expect({ ...put, stderr: "" }).toEqual({ code: 0, stdout: "", stderr: "" });
    for (const reader of ALL) {
      expect((await smbclient(cluster, reader, `get file${writer} -`)).stdout).toBe(text);
    }
  }
});

inCluster("a deny-mode open through one node is refused through the others", async (cluster) => {
  const name = cluster.makeSharedFile("denied");
  const clients = await connectAll(cluster);
  for (const [pnn, holder] of clients.entries()) {
    const held = await holder.create(name, ACCESS.readWrite, SHARING.none);
    expect(held.status).toBe(STATUS.ok);
    for (const other of clients.filter((client) => client !== holder)) {
      const refused = await other.create(name, ACCESS.read, SHARING.all);
      expect({ pnn, status: refused.status }).toEqual({ pnn, status: STATUS.sharingViolation });
    }
    expect(await holder.close(held.file)).toBe(STATUS.ok);
  }
  await Promise.all(clients.map((client) => client.end()));
});

inCluster("a byte-range lock through one node is refused through the others", async (cluster) => {
  const name = cluster.makeSharedFile("locked");
  const clients = await connectAll(cluster);
  const files: number[] = [];
  for (const client of clients) {
    const { status, file } = await client.create(name, ACCESS.readWrite, SHARING.all);
    expect(status).toBe(STATUS.ok);
    files.push(file);
  }
  const [a, b, c] = clients as [SmbClient, SmbClient, SmbClient];
  const [fileA, fileB, fileC] = files as [number, number, number];
  expect(await a.lock(fileA, 100, 10)).toBe(STATUS.ok);
  expect(await b.lock(fileB, 105, 10)).toBe(STATUS.lockNotGranted);
  expect(await c.lock(fileC, 95, 6)).toBe(STATUS.lockNotGranted);
  expect(await c.write(fileC, 105, "x")).toBe(STATUS.fileLockConflict);
  expect(await b.lock(fileB, 110, 10)).toBe(STATUS.ok);
  expect(await a.unlock(fileA, 100, 10)).toBe(STATUS.ok);
  expect(await c.lock(fileC, 95, 6)).toBe(STATUS.ok);
  await Promise.all(clients.map((client) => client.end()));
});

inCluster("opens and locks of a client that vanishes are released", async (cluster) => {
  const denied = cluster.makeSharedFile("denied2");
  const locked = cluster.makeSharedFile("locked2");
  const [holder, other, third] = (await connectAll(cluster)) as [SmbClient, SmbClient, SmbClient];
  expect((await holder.create(denied, ACCESS.readWrite, SHARING.none)).status).toBe(STATUS.ok);
  const held = await holder.create(locked, ACCESS.readWrite, SHARING.all);
  expect(await holder.lock(held.file, 0, 10)).toBe(STATUS.ok);
  const wanted = await other.create(locked, ACCESS.readWrite, SHARING.all);
  expect(await other.lock(wanted.file, 0, 10)).toBe(STATUS.lockNotGranted);
  await holder.kill();
  await until("the lock is free", RELEASE_TIMEOUT_MS, async () =>
    when((await other.lock(wanted.file, 0, 10)) === STATUS.ok),
  );
  await until("the open is gone", RELEASE_TIMEOUT_MS, async () =>
    when((await third.create(denied, ACCESS.readWrite, SHARING.none)).status === STATUS.ok),
  );
  await Promise.all([other.end(), third.end()]);
});

inCluster("a change through one node is notified to a client of another", async (cluster) => {
  const [watching, changing] = [0, 1];
  const made = await smbclient(cluster, watching, "mkdir watched");
  expect(made.code).toBe(0);
  const unc = `//${cluster.host(watching).address}/${SHARE}`;
  const login = `${USER}%${PASSWORD}`;
  const watcher = cluster.client.namespaces.spawn([
    "stdbuf",
    "-oL",
    "smbclient",
    unc,
    "-U",
    login,
    "-c",
    "notify watched",
  ]);
  const first = watcher.stdout.getReader().read();
  let told = "";
  first.then(({ value }) => {
    told = new TextDecoder().decode(value);
  });
  // Nodes hear of the request within a second: changes until then are not notified.
  let changes = 0;
  await until("the watcher is told", RELEASE_TIMEOUT_MS, async () => {
    changes += 1;
    await smbclient(cluster, changing, `mkdir watched\\new${changes}`);
    return when(told !== "");
  });
  expect(told).toMatch(/new\d+/);
  watcher.kill("SIGKILL");
  await watcher.exited;
});

inCluster("smbstatus on each node lists the sessions of all", async (cluster) => {
  const clients = await connectAll(cluster);
  const name = cluster.makeSharedFile("open");
  for (const client of clients) await client.create(name, ACCESS.read, SHARING.all);
  for (const pnn of ALL) {
    const { stdout } = await cluster.host(pnn).run(["smbstatus", "--processes"]);
    expect(serversNamed(stdout)).toEqual(ALL);
    const locks = await cluster.host(pnn).run(["smbstatus", "--locks"]);
    expect(serversNamed(locks.stdout)).toEqual(ALL);
  }
  await Promise.all(clients.map((client) => client.end()));
});

/** The nodes at the beginning of lines ("1:234 …"). */
function serversNamed(text: string): readonly number[] {
  const pnns = [...text.matchAll(/^(\d+):\d+\s/gm)].map(([, pnn]) => Number(pnn));
  return [...new Set(pnns)].sort();
}

inCluster("smbcontrol all ping is answered from every node", async (cluster) => {
  for (const pnn of ALL) {
    const { stdout } = await cluster.host(pnn).run(["smbcontrol", "--timeout=3", "all", "ping"]);
    const pongs = [...stdout.matchAll(/^PONG from pid (\d+):(\d+)$/gm)];
    const answered = new Set(pongs.map(([, from, pid]) => `${from}:${pid}`));
    for (const server of ALL) {
      expect([...answered]).toContain(`${server}:${await cluster.smb(server).pid()}`);
    }
  }
});

inCluster("net writes the registry on one node and reads it on the others", async (cluster) => {
  const key = "HKLM\\Software\\ctdbtest";
  await cluster.host(0).must(["net", "registry", "createkey", key]);
  for (const writer of ALL) {
    const value = `written on node ${writer}`;
    await cluster.host(writer).must(["net", "registry", "setvalue", key, "v", "sz", value]);
    for (const reader of ALL) {
      const got = await cluster.host(reader).must(["net", "registry", "getvalue", key, "v"]);
      expect(got).toContain(`"${value}"`);
    }
  }
});

inCluster("net conf defines a share on one node and smbd of another serves it", async (cluster) => {
  await cluster.host(1).must(["net", "conf", "addshare", "fromregistry", cluster.shared]);
  expect(await cluster.host(2).must(["net", "conf", "listshares"])).toContain("fromregistry");
  const unc = `//${cluster.host(0).address}/fromregistry`;
  const { code } = await cluster.client.run([
    "smbclient",
    unc,
    "-U",
    `${USER}%${PASSWORD}`,
    "-c",
    "ls",
  ]);
  expect(code).toBe(0);
});

inCluster("a password set on one node is valid on the others", async (cluster) => {
  const changed = "changed1.";
  const input = `${changed}\n${changed}\n`;
  await cluster.host(2).must(["smbpasswd", "-s", USER], { input });
  try {
    for (const pnn of ALL) {
      const unc = `//${cluster.host(pnn).address}/${SHARE}`;
      const argv = ["smbclient", unc, "-U", `${USER}%${changed}`, "-c", "ls"];
      expect((await cluster.client.run(argv)).code).toBe(0);
    }
  } finally {
    await cluster.smb(0).addUser();
  }
});
