/**
 * `ctdb node add`, `remove` and `repair` on real clusters: a fourth node comes and goes while clients count, files that
 * differ and nodes that cannot take part end it before anything is written, and whatever dies in the middle leaves
 * something that `repair` mends.
 */
import { expect, test } from "bun:test";
import { appendFileSync, readFileSync } from "node:fs";
import type { RecordDatabase } from "../../../src/client/record_database.ts";
import { lineDifferences, withNodeAdded } from "../../../src/config/nodes_edit.ts";
import { DIST } from "../../support/executables.ts";
import { stockInstalled, type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { until, when } from "../../support/until.ts";
import { MixedCluster } from "../mixed/mixed_cluster.ts";
import { FIRST, Lists, NEW_NODE } from "./lists.ts";

const TIMEOUT_MS = 240_000;
const LIMIT_MS = 60_000;
const COUNT_PAUSE_MS = 2;
const interop = test.skipIf(!stockInstalled());

async function withLists(action: (lists: Lists) => Promise<void>): Promise<void> {
  const options = { nodes: 4, lock: "file", startNothing: true } as const;
  await withCluster(options, async (cluster) => {
    const lists = new Lists(cluster);
    await lists.start();
    await action(lists);
  });
}

async function tool(cluster: TestCluster, pnn: number, ...args: readonly string[]) {
  const { code, stdout, stderr } = await cluster.ctdb(pnn, "node", ...args);
  if (code !== 0) throw new Error(`ctdb node ${args.join(" ")} on node ${pnn}: ${stderr}`);
  return stdout;
}

/** Clients of all nodes count while `action` runs; what they have counted is what the record says at the end. */
async function counting(cluster: TestCluster, action: () => Promise<void>): Promise<void> {
  const mixed = new MixedCluster(cluster);
  const databases = await Promise.all(
    FIRST.map((pnn) => mixed.open(pnn, "nodes_list_counter.tdb")),
  );
  let counts = true;
  const count = async (database: RecordDatabase) => {
    let times = 0;
    for (; counts; times++) {
      await mixed.update(database, "counter", (value) => String(Number(value) + 1));
      await Bun.sleep(COUNT_PAUSE_MS);
    }
    return times;
  };
  const counted = Promise.all(databases.map(count));
  try {
    await Promise.race([action(), counted]);
  } finally {
    counts = false;
  }
  const times = await counted;
  expect(Math.min(...times)).toBeGreaterThan(0);
  const total = times.reduce((sum, each) => sum + each, 0);
  expect(await mixed.read(databases[0] as RecordDatabase, "counter")).toBe(String(total));
  for (const database of databases) database.close();
}

test(
  "ctdb node adds a fourth node and removes it while clients count: no update is lost",
  () =>
    withLists(async (lists) => {
      const { cluster, newAddress } = lists;
      const before = lists.text(0);
      const after = must(withNodeAdded(before, newAddress));
      await counting(cluster, async () => {
        const dry = JSON.parse(await tool(cluster, 1, "add", newAddress, "--dry-run", "--json"));
        expect(dry).toMatchObject({
          action: "add",
          dry_run: true,
          nodes: [0, 1, 2],
          lines: [{ line: 4, before: null, after: newAddress }],
          changes: [{ pnn: 3, change: "new" }],
          reloaded: false,
        });
        expect(lists.texts()).toEqual(FIRST.map(() => before));
        await tool(cluster, 1, "add", newAddress);
        expect(lists.texts()).toEqual(FIRST.map(() => after));
        expect(lists.left()).toEqual([]);
        const addresses = cluster.local.description.nodes.map(({ address }) => address).join(" ");
        expect(await lists.runningEverywhere()).toEqual(FIRST.map(() => addresses));
        lists.write(NEW_NODE, after);
        await cluster.start(NEW_NODE);
        await cluster.waitReady();

        const early = await cluster.ctdb(0, "node", "remove", String(NEW_NODE));
        expect([early.code === 0, early.stderr]).toEqual([
          false,
          'Node 3 is still connected and active: run "ctdb drain 3", then "ctdb shutdown -n 3" first\n',
        ]);
        await cluster.stop(NEW_NODE);
        await until("node 3 has gone", LIMIT_MS, async () => {
          const shown = JSON.parse((await cluster.ctdb(2, "nodestatus", "3", "--json")).stdout);
          return when(shown.nodes["3"].flags.disconnected === true);
        });
        await tool(cluster, 2, "remove", String(NEW_NODE));
        expect(lists.texts()).toEqual(FIRST.map(() => `${before}#${newAddress}\n`));
        const holes = `${addresses.split(" ").slice(0, 3).join(" ")} #`;
        expect(await lists.runningEverywhere()).toEqual(FIRST.map(() => holes));
        // The same number again.
        await tool(cluster, 0, "add", newAddress);
        expect(lists.texts()).toEqual(FIRST.map(() => after));
        await cluster.waitReady(...FIRST);
      });
    }),
  TIMEOUT_MS,
);

test(
  "ctdb node changes nothing when files differ, a list is a command, or an address is there already",
  () =>
    withLists(async (lists) => {
      const { cluster, newAddress } = lists;
      const before = lists.text(0);
      const refused = async (pnn: number, ...args: readonly string[]) => {
        const { code, stderr } = await cluster.ctdb(pnn, "node", ...args);
        expect(code).not.toBe(0);
        expect(lists.left()).toEqual([]);
        return stderr;
      };
      const first = before.split("\n")[0] ?? "";
      expect(await refused(1, "add", first)).toContain("it is node 0 already");
      expect(await refused(1, "add", "10.0.0.300")).toContain('"10.0.0.300"');
      appendFileSync(lists.path(2), "#10.9.9.9\n");
      const different = await refused(0, "add", newAddress);
      expect(different).toContain("The nodes files of node 0 and node 2 differ:");
      expect(different).toContain('line 4: nothing on node 0, "#10.9.9.9" on node 2');
      expect(lists.texts()).toEqual([before, before, `${before}#10.9.9.9\n`]);
      expect(await refused(0, "repair")).toContain("node 0 and node 2 differ");
      await tool(cluster, 0, "repair", "1");
      expect(lists.texts()).toEqual(FIRST.map(() => before));

      const configuration = `${cluster.base(1)}/ctdb.conf`;
      const command = `!cat ${lists.path(1)}`;
      const text = readFileSync(configuration, "utf8");
      const changed = text.replace("[cluster]", `[cluster]\n\tnodes list = ${command}`);
      await Bun.write(configuration, changed);
      expect((await cluster.ctdb(1, "reload")).code).toBe(0);
      const byCommand = await refused(0, "add", newAddress);
      expect(byCommand).toContain(`Node 1 has its list of nodes from a command, "${command}"`);
      expect(lists.texts()).toEqual(FIRST.map(() => before));
    }),
  TIMEOUT_MS,
);

interop(
  "ctdb node changes nothing in a cluster with a node of Debian's, and names it",
  () =>
    withCluster({ nodes: 3, stock: [2], lock: "file" }, async (cluster) => {
      await cluster.waitReady();
      const before = FIRST.map((pnn) => readFileSync(`${cluster.base(pnn)}/nodes`, "utf8"));
      const { code, stderr } = await cluster.ctdb(0, "node", "add", "127.9.9.9");
      expect(code).not.toBe(0);
      expect(stderr).toContain("Node 2 runs another ctdbd, which cannot change its nodes file");
      expect(FIRST.map((pnn) => readFileSync(`${cluster.base(pnn)}/nodes`, "utf8"))).toEqual(
        before,
      );
      await cluster.waitReady();
    }),
  TIMEOUT_MS,
);

/** How far a tool came before it died: nodes that had prepared, installed, and read the new file. */
const DEATHS: readonly (readonly [
  prepared: readonly number[],
  installed: readonly number[],
  read: readonly number[],
])[] = [
  [[1], [], []],
  [[0, 1, 2], [], []],
  [[0, 1, 2], [0], []],
  [[0, 1, 2], [0, 2], []],
  [[0, 1, 2], [0, 1, 2], []],
  [[0, 1, 2], [0, 1, 2], [2]],
];

test(
  "ctdb node repair ends what a tool left that died at any step",
  () =>
    withLists(async (lists) => {
      const { cluster, newAddress } = lists;
      const client = await cluster.connect(1);
      for (const [prepared, installed, read] of DEATHS) {
        const what = `prepared ${prepared}, installed ${installed}, read ${read}`;
        const old = lists.text(0);
        const text = must(withNodeAdded(old, newAddress));
        const { present } = await lists.step(client, 0, { step: "look" });
        const before = present?.digest ?? "";
        let after = "";
        for (const pnn of prepared) {
          const answer = await lists.step(client, pnn, { step: "prepare", before, text });
          expect(answer).toMatchObject({ refused: null, next: { text } });
          after = answer.next?.digest ?? "";
        }
        for (const pnn of installed) {
          const answer = await lists.step(client, pnn, { step: "install", before, after });
          expect(answer).toMatchObject({ refused: null, present: { text }, next: null });
        }
        for (const pnn of read) {
          must(await client.control("RELOAD_NODES_FILE", undefined, { pnn }), "reload");
        }
        // A second change does not begin on top of it.
        if (installed.length < prepared.length) {
          const again = await cluster.ctdb(2, "node", "add", newAddress);
          expect(again.stderr).toContain('run "ctdb node repair" first');
        }
        await tool(cluster, 2, "repair");
        const expected = installed.length === 0 ? old : text;
        expect({ what, texts: lists.texts(), left: lists.left() }).toEqual({
          what,
          texts: FIRST.map(() => expected),
          left: [],
        });
        const running = await lists.runningEverywhere();
        expect(running).toEqual(FIRST.map(() => running[0] ?? ""));
        expect(running[0]?.includes(newAddress)).toBe(installed.length > 0);
        expect(await tool(cluster, 0, "repair")).toBe("Nothing to repair\n");
        if (installed.length > 0) await tool(cluster, 1, "remove", String(NEW_NODE));
      }
    }),
  TIMEOUT_MS,
);

test(
  "ctdb node repair mends what a tool leaves that is killed at any time, and a ctdbd that dies meanwhile",
  () =>
    withLists(async (lists) => {
      const { cluster, newAddress } = lists;
      const found = new Set<string>();
      for (let delayMs = 10; delayMs <= 220; delayMs += 15) {
        const old = lists.text(0);
        const present = lists.text(0).includes(`\n${newAddress}`);
        const args = present ? ["remove", String(NEW_NODE)] : ["add", newAddress];
        const child = Bun.spawn([`${DIST}/ctdb`, "node", ...args], {
          env: cluster.environment(0),
          stdio: ["ignore", "ignore", "ignore"],
        });
        await Bun.sleep(delayMs);
        child.kill("SIGKILL");
        await child.exited;
        await tool(cluster, 1, "repair");
        const texts = lists.texts();
        expect({ delayMs, same: new Set(texts).size, left: lists.left() }).toEqual({
          delayMs,
          same: 1,
          left: [],
        });
        const running = await lists.runningEverywhere();
        expect(new Set(running).size).toBe(1);
        expect(running[0]?.includes(newAddress)).toBe(lists.text(0).includes(`\n${newAddress}`));
        found.add(lineDifferences(old, texts[0] ?? "").length === 0 ? "old" : "new");
      }
      // Both ends were met, or the times of this machine tell nothing.
      expect([...found].sort()).toEqual(["new", "old"]);

      // A ctdbd that has prepared dies before it installs; the others go on.
      if (lists.text(0).includes(`\n${newAddress}`)) {
        await tool(cluster, 0, "remove", String(NEW_NODE));
      }
      const client = await cluster.connect(0);
      const text = must(withNodeAdded(lists.text(0), newAddress));
      const { present } = await lists.step(client, 0, { step: "look" });
      const before = present?.digest ?? "";
      let after = "";
      for (const pnn of FIRST) {
        const answer = await lists.step(client, pnn, { step: "prepare", before, text });
        after = answer.next?.digest ?? "";
      }
      await cluster.kill(2);
      for (const pnn of [0, 1]) await lists.step(client, pnn, { step: "install", before, after });
      await cluster.start(2);
      await cluster.waitReady(...FIRST);
      await tool(cluster, 0, "repair");
      expect(lists.texts()).toEqual(FIRST.map(() => text));
      expect(lists.left()).toEqual([]);
      expect(new Set(await lists.runningEverywhere()).size).toBe(1);
    }),
  TIMEOUT_MS,
);
