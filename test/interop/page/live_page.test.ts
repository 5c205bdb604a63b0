/**
 * The page of a live cluster: signed in over TCP with a token, it shows a node that is killed within two seconds, explains a
 * click from the journals, shows the time before, and acts.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { until, when } from "../../support/until.ts";
import { chromiumInstalled, TestBrowser, type TestPage } from "./browser.ts";

const NODES = 3;
const KILLED = 2;
const TOKEN = "a-token-for-the-page-0123456789";
const SHOWN_MS = 2000;
const WAIT_MS = 20_000;
const LIMIT_MS = 60_000;

async function freePort(): Promise<number> {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** Each node keeps a journal; the first serves the page. */
async function configure(cluster: TestCluster): Promise<string> {
  const port = await freePort();
  for (const pnn of cluster.pnns) {
    const base = cluster.base(pnn);
    const tokens = join(base, "tokens");
    writeFileSync(tokens, `${TOKEN} act\n`, { mode: 0o600 });
    const lines = [
      "[admin]",
      "\tenabled = true",
      ...(pnn === 0 ? [`\tlisten = 127.0.0.1:${port}`, `\ttoken file = ${tokens}`] : []),
      "\tactions = true",
      "[journal]",
      `\tdirectory = ${join(base, "journal")}`,
    ];
    writeFileSync(join(base, "ctdb-appliance.conf"), `${lines.join("\n")}\n`);
  }
  return `http://127.0.0.1:${port}`;
}

async function signIn(page: TestPage): Promise<void> {
  page.serverIsAway = true;
  await page.page.waitForSelector("#lock", { visible: true, timeout: WAIT_MS });
  await page.page.type("#token", TOKEN);
  await page.page.keyboard.press("Enter");
  await page.ready();
  page.serverIsAway = false;
}

test.skipIf(!chromiumInstalled())(
  "the page of a live cluster shows, explains, travels in time and acts",
  async () => {
    const browser = await TestBrowser.start();
    try {
      await withCluster({ nodes: NODES, startNothing: true }, async (cluster) => {
        const origin = await configure(cluster);
        await cluster.start();
        await cluster.waitReady();
        await until("the page is served", WAIT_MS, async () =>
          when(
            await fetch(origin).then(
              ({ ok }) => ok,
              () => false,
            ),
          ),
        );
        const page = await browser.open(origin);
        await signIn(page);
        await page.says("#verdict", "All 3 nodes are well", WAIT_MS);
        expect(await page.violations()).toEqual([]);
        const beforeMs = Date.now();

        const startMs = performance.now();
        await cluster.kill(KILLED);
        await page.says("#node-rows", "disconnected", SHOWN_MS);
        expect(performance.now() - startMs).toBeLessThan(SHOWN_MS);
        expect(await page.text("#verdict")).toContain(`Node ${KILLED} is disconnected`);

        await whyOfTheKill(page);
        await page.page.keyboard.press("Escape");
        await backInTime(page, beforeMs);
        await disable(page, 1);
        expect(await page.violations()).toEqual([]);
        expect(page.complaints).toEqual([]);
        await page.close();
      });
    } finally {
      await browser.end();
    }
  },
  LIMIT_MS,
);

/** The line of the journal that tells of it, pressed: what is said begins with it, and names the node. */
async function whyOfTheKill(page: TestPage): Promise<void> {
  await page.page.select("#filter-node", "0");
  await page.press("#filter-groups input[value=nodes] + span");
  const line = await until("the journal tells of it", WAIT_MS, async () => {
    const lines = await page.page.$$eval("#entries .entry-text", (found) =>
      found.map(({ textContent }) => textContent ?? ""),
    );
    const at = lines.findIndex(
      (text) => text.includes("DISCONNECTED") && text.includes(`node ${KILLED}`),
    );
    return at < 0 ? undefined : { at, text: lines[at] ?? "" };
  });
  await page.press(`#entries li:nth-child(${line.at + 1}) button`);
  await page.page.waitForSelector("#why-body .cause", { timeout: WAIT_MS });
  const causes = await page.page.$$eval("#why-body .cause", (found) =>
    found.map(({ textContent }) => textContent ?? ""),
  );
  expect(causes[0]).toContain(`node ${KILLED}`);
  // The connection ended: that is why.
  expect(causes.slice(1).join("\n")).toMatch(/connection|link/);
  await page.press("#filter-groups input[value=nodes] + span");
  await page.page.select("#filter-node", "");
}

async function backInTime(page: TestPage, ms: number): Promise<void> {
  await page.page.evaluate(
    `location.hash = "#at=${new Date(ms).toISOString().replace("Z", "000Z")}"`,
  );
  await page.says("#past-text", "As the journals tell it.", WAIT_MS);
  await page.says("#verdict", "All 3 nodes are well");
  await page.press("#past-leave");
  await page.says("#verdict", `Node ${KILLED} is disconnected`);
}

async function disable(page: TestPage, node: number): Promise<void> {
  await page.press(`#node-rows tr:nth-child(${node + 1}) .actions-column button`);
  await page.press("#action-dialog li:nth-child(1) button");
  await page.says("#action-title", `Disable: node ${node}`);
  await page.press("#action-dialog button[type=submit]");
  await page.says("#action-title", "Disable: done", WAIT_MS);
  await page.page.keyboard.press("Escape");
  await page.says(`#node-rows tr:nth-child(${node + 1})`, "disabled", WAIT_MS);
}
