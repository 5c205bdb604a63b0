/**
 * The page in Debian's Chromium, against a server of fixtures: what it shows, what it asks for, and that it can be used with
 * a keyboard. Against a live cluster: live_page.test.ts.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import {
  ENTRIES_PER_QUESTION,
  LATE_EVENTS_MS,
  LIST_ROWS,
  OTHER_JOURNALS_MS,
  QUESTIONS_PER_WINDOW,
} from "../../../src/admin/page/model/limits.ts";
import { runCommand } from "../../support/command.ts";
import { denoCommand, denoEnvironment } from "../../support/deno_cluster.ts";
import { until, when } from "../../support/until.ts";
import { chromiumInstalled, TestBrowser, type TestPage } from "./browser.ts";
import { FakeServer, TOKEN } from "./fake_server.ts";
import {
  eventDocument,
  HOSTILE,
  hostileCluster,
  troubledCluster,
  withoutNode,
} from "./fixtures.ts";

/** Sooner than it would be asked for. */
const SHOWN_MS = OTHER_JOURNALS_MS - 500;
const WAIT_MS = 10_000;
const browserTest = test.skipIf(!chromiumInstalled());

let browser: TestBrowser | undefined;

beforeAll(async () => {
  if (chromiumInstalled()) browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser?.end();
});

type Size = { readonly width: number; readonly height: number };

/** Opens the page, and holds it to having nothing to complain of at the end. */
async function withPage(
  server: FakeServer,
  use: (page: TestPage) => Promise<void>,
  { path = "/", size }: { readonly path?: string; readonly size?: Size } = {},
): Promise<void> {
  if (browser === undefined) throw new Error("expected a browser");
  const page = await browser.open(`${server.origin}${path}`, size);
  try {
    await use(page);
    expect(page.complaints).toEqual([]);
  } finally {
    await page.close();
    await server.stop();
  }
}

browserTest("the page shows the cluster, and asks nobody but its server", async () => {
  const server = new FakeServer();
  await withPage(server, async (page) => {
    await page.ready();
    expect(await page.text("#verdict")).toBe("All 3 nodes are well");
    expect(await page.text("#facts")).toContain("node 0 leads");
    expect(await page.text("#node-rows")).toContain("10.0.0.3");
    expect(await page.text("#address-rows")).toContain("192.0.2.15");
    expect(await page.text("#database-rows")).toContain("locking.tdb");
    expect(await page.text("#turn-rows")).toContain("148 ms");
    expect(await page.text("#entries")).toContain("node 2 banned for 5 min");
    expect(await page.page.$$eval("#matrix-rows .cell.sees", (cells) => cells.length)).toBe(6);
    expect(await page.page.title()).toBe("ok – ctdb");
  });
});

browserTest("on a runtime without macros the page is the same, module by module", async () => {
  const printer = join(import.meta.dir, "print_files.ts");
  const command = [denoCommand("")[0] ?? "", "run", "--quiet", "--allow-all", printer];
  const { stdout, stderr } = await runCommand(command, { env: denoEnvironment() });
  expect(stderr).toBe("");
  const server = new FakeServer(Date.now(), JSON.parse(stdout));
  await withPage(server, async (page) => {
    await page.ready();
    expect(await page.text("#verdict")).toBe("All 3 nodes are well");
    expect(server.asked.filter(({ path }) => path.startsWith("/page/")).length).toBeGreaterThan(20);
  });
});

browserTest(
  "what is wrong comes first, and a link that goes one way is said in words",
  async () => {
    const server = new FakeServer();
    server.cluster = troubledCluster(Date.now());
    await withPage(server, async (page) => {
      await page.ready();
      expect(await page.text("#verdict")).toBe(
        "2 of 3 nodes are not well · 3 conditions to look at",
      );
      expect(await page.text("#condition-list")).toContain("see why node 1 is unhealthy");
      expect(await page.text("#one-way")).toBe("One way: 0 sees 1, 1 does not see 0.");
      expect(await page.page.$$eval("#matrix-rows .cell.one-way", (cells) => cells.length)).toBe(2);
      expect(await page.page.$$eval("#matrix-rows .cell.silent", (cells) => cells.length)).toBe(3);
      expect(await page.text("#node-rows")).toContain("script 49.winbind hung");
      expect(await page.text("#address-rows tr")).toContain("nowhere");
      expect(await page.text("#database-rows")).toContain("unhealthy: it is not served");
    });
  },
);

browserTest("a killed node and an event show when the server tells them", async () => {
  const server = new FakeServer();
  await withPage(server, async (page) => {
    await page.ready();
    await until("a stream", WAIT_MS, () => when(server.streams === 1));
    server.show(withoutNode(server.cluster, 1));
    await page.says("#verdict", "Node 1 is disconnected", SHOWN_MS);
    const event = { kind: "link_down", peer: 1, reason: "connection reset" } as const;
    server.happen(eventDocument(900, 0, Date.now(), "lost node 1: connection reset", event));
    await page.says("#entries li", "lost node 1: connection reset", SHOWN_MS);
    expect(await page.text("#node-rows tr:nth-child(2)")).toContain("not heard from");
  });
});

browserTest("what is in the journals of other nodes comes without a stream of theirs", async () => {
  const server = new FakeServer();
  await withPage(server, async (page) => {
    await page.ready();
    const event = { kind: "link_down", peer: 2, reason: "closed by the peer" } as const;
    const late = eventDocument(901, 1, Date.now() - 2000, "lost node 2: closed by the peer", event);
    server.events = [...server.events, late];
    await page.says("#entries li", "lost node 2: closed by the peer", 4 * OTHER_JOURNALS_MS);
    const asked = server.asked.findLast(({ path }) => path === "/api/v1/journal");
    const since = Date.parse(asked?.query.get("since") ?? "");
    expect(asked?.query.has("until")).toBe(false);
    expect(Date.now() - since).toBeLessThan(LATE_EVENTS_MS + 3 * OTHER_JOURNALS_MS);
  });
});

browserTest("names that try to be markup are text", async () => {
  const server = new FakeServer();
  server.cluster = hostileCluster(Date.now());
  server.events = server.events.map((each) => ({ ...each, text: HOSTILE }));
  await withPage(
    server,
    async (page) => {
      await page.ready();
      expect(await page.text("#entries li .entry-text")).toBe(HOSTILE);
      expect(await page.text("#node-rows")).toContain(HOSTILE);
      expect(await page.text("#condition-list")).toContain(HOSTILE);
      expect(await page.page.$$eval("img, main script", (found) => found.length)).toBe(0);
      expect(await page.page.title()).not.toContain("broken");
      expect(await page.page.evaluate("document.documentElement.scrollWidth > innerWidth")).toBe(
        false,
      );
    },
    { size: { width: 320, height: 700 } },
  );
});

browserTest("the why of a click is the server's, of that event; Escape leads back", async () => {
  const server = new FakeServer();
  await withPage(server, async (page) => {
    await page.ready();
    const ban = server.events.find(({ event }) => event.kind === "ban");
    const nth = [...server.events].reverse().indexOf(ban as never) + 1;
    await page.press(`#entries li:nth-child(${nth}) button`);
    await page.says("#why-body", "It happened: node 2 banned for 5 min");
    await page.says("#why-body", "The script hung");
    await page.says("#why-body", "a gap of 4 events");
    const asked = server.asked.find(({ path }) => path === "/api/v1/why");
    expect(asked?.query.toString()).toBe(`subject=event&node=${ban?.node}&event=${ban?.id}`);
    expect(await page.focused()).toStartWith("h2|why-title");
    expect(new URL(page.page.url()).hash).toBe(`#why=event+${ban?.node}+${ban?.id}`);
    await page.page.keyboard.press("Escape");
    await page.page.waitForSelector("#why", { hidden: true });
    await until("the focus is back", WAIT_MS, async () =>
      when((await page.focused()).includes("node 2 banned for 5 min")),
    );
    await page.press("#address-rows tr:first-child .why-link");
    await page.says("#why-title", "Why is 192.0.2.10 where it is?");
  });
});

browserTest("the past is marked as past, shows what was, and leads back to now", async () => {
  const server = new FakeServer();
  server.cluster = { ...troubledCluster(Date.now()), actions: true };
  await withPage(server, async (page) => {
    await page.ready();
    await page.page.waitForSelector(".actions-column button", { visible: true });
    await page.press("#slider");
    await page.says("#past-title", "The past");
    await page.says("#past-text", "As the journals tell it.");
    await page.says("#verdict", "All 3 nodes are well");
    expect(await page.text("#matrix .untold")).toContain("do not tell");
    expect(await page.page.$eval("html", (root) => root.getAttribute("data-when"))).toBe("past");
    const acting = await page.page.$$eval(
      ".actions-column",
      (cells) => cells.filter((cell) => !cell.hasAttribute("hidden")).length,
    );
    expect(acting).toBe(0);
    await page.page.waitForSelector("#conditions", { hidden: true });

    await page.press("#step-forth");
    await page.says("#entries li", "49.winbind hung");
    const script = server.events.find(({ event }) => event.kind === "script_failed");
    await until("the state at that event was asked for", WAIT_MS, () =>
      when(
        server.asked.findLast(({ path }) => path === "/api/v1/state")?.query.get("at") ===
          script?.time,
      ),
    );
    await page.press("#past-leave");
    await page.says("#verdict", "2 of 3 nodes are not well");
    expect(await page.page.$eval("html", (root) => root.getAttribute("data-when"))).toBe("now");
  });
});

browserTest("an address with a time and a question opens what it says", async () => {
  const server = new FakeServer();
  const ban = server.events.find(({ event }) => event.kind === "ban");
  const path = `/#at=${ban?.time}&why=event+0+${ban?.id}&kinds=blame`;
  await withPage(
    server,
    async (page) => {
      await page.says("#past-text", "As the journals tell it.");
      await page.says("#verdict", "Node 2 is banned");
      await page.says("#why-body", "It happened");
      await page.says("#entries-text", "1 to 2 of 2");
      expect(server.asked.find(({ path }) => path === "/api/v1/journal")?.query.get("kind")).toBe(
        "blame,ban,unban",
      );
    },
    { path },
  );
});

browserTest("a server that goes away is told with the time, and comes back by itself", async () => {
  const server = new FakeServer();
  await withPage(server, async (page) => {
    await page.ready();
    await until("a stream", WAIT_MS, () => when(server.streams === 1));
    page.serverIsAway = true;
    await server.stop();
    await page.says("#connection", "no connection since", 5000);
    expect(await page.page.title()).toBe("no connection – ctdb");
    server.failing = "ctdbd does not answer";
    server.start();
    await page.says("#connection", "no news since");
    await page.says("#connection", "ctdbd does not answer");
    server.failing = undefined;
    server.show(withoutNode(server.cluster, 2));
    await page.says("#connection", "live");
    await page.says("#verdict", "Node 2 is disconnected");
    page.serverIsAway = false;
  });
});

browserTest(
  "a token is exchanged for a session, and an action carries its CSRF value",
  async () => {
    const server = new FakeServer();
    server.cluster = { ...troubledCluster(Date.now()), actions: true };
    server.locked = true;
    await withPage(server, async (page) => {
      page.serverIsAway = true;
      await page.page.waitForSelector("#lock", { visible: true });
      await until("the focus is in the form", WAIT_MS, async () =>
        when((await page.focused()).startsWith("input|token")),
      );
      await page.page.keyboard.type("a wrong one");
      await page.page.keyboard.press("Enter");
      await page.says("#lock-problem", "none of those in the token file");
      await page.page.keyboard.type(TOKEN);
      await page.page.keyboard.press("Enter");
      await page.ready();
      page.serverIsAway = false;
      expect(await page.page.evaluate("document.cookie")).toBe("");
      const stored = await page.page.evaluate(
        "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])",
      );
      expect(stored).not.toContain(TOKEN);

      await page.press("#node-rows tr:nth-child(3) .actions-column button");
      await page.says("#action-title", "Act on node 2");
      expect(await page.text("#action-dialog")).not.toContain("Ban …");
      await page.press("#action-dialog li:nth-child(3) button");
      await page.says("#action-title", "Lift the ban: node 2");
      expect(await page.focused()).toContain("Cancel");
      expect(server.asked.filter(({ path }) => path.includes("/actions/"))).toEqual([]);
      await page.press("#action-dialog button[type=submit]");
      await page.says("#action-title", "Lift the ban: done");
      expect(server.asked.find(({ path }) => path.includes("/actions/"))).toMatchObject({
        method: "POST",
        path: "/api/v1/actions/unban",
        csrf: "csrf-of-the-test",
        body: { node: 2 },
      });
      await page.page.keyboard.press("Escape");

      await page.press("#address-rows tr:nth-child(2) .actions-column button");
      await page.says("#action-title", "Move: 192.0.2.10");
      await page.page.select("#action-dialog select", "2");
      await page.press("#action-dialog button[type=submit]");
      await page.says("#action-title", "Move: done");
      expect(server.asked.findLast(({ path }) => path.includes("/actions/"))).toMatchObject({
        path: "/api/v1/actions/moveip",
        body: { address: "192.0.2.10", node: 2 },
      });
      await page.page.keyboard.press("Escape");

      page.serverIsAway = true;
      await page.press("#sign-out");
      await page.says("#verdict", "Sign in to see the cluster");
      expect(await page.page.evaluate("document.body.textContent")).not.toContain("10.0.0.1");
    });
  },
);

browserTest("a large journal is asked for in parts, and shown in pages", async () => {
  const nowMs = Date.now();
  const server = new FakeServer(nowMs);
  const count = 4000;
  server.events = Array.from({ length: count }, (_, i) =>
    eventDocument(i + 1, i % 3, nowMs - (count - i) * 500, `the event ${i + 1}`, {
      kind: "link_up",
      peer: (i + 1) % 3,
    }),
  );
  const questions = () => server.asked.filter(({ path }) => path === "/api/v1/journal");
  await withPage(server, async (page) => {
    await page.ready();
    await page.says("#entries-text", "and older ones");
    await until("all parts were asked for", WAIT_MS, () =>
      when(questions().filter(({ query }) => query.has("until")).length === QUESTIONS_PER_WINDOW),
    );
    expect(questions().every(({ query }) => query.get("limit") === `${ENTRIES_PER_QUESTION}`)).toBe(
      true,
    );
    const rows = () => page.page.$$eval("#entries li", (found) => found.length);
    expect(await rows()).toBe(LIST_ROWS);
    await page.press("#older");
    await page.says("#entries li", `the event ${count - LIST_ROWS}`);
    expect(await rows()).toBe(LIST_ROWS);
    expect(await page.page.$$eval("#timeline .mark", (marks) => marks.length)).toBeLessThan(700);
    await page.press("#newer");
    await page.says("#entries li", `the event ${count}`);
  });
});

browserTest("the timeline zooms, moves, and comes back to now", async () => {
  const server = new FakeServer();
  await withPage(server, async (page) => {
    await page.ready();
    await page.press("#zoom-in");
    await page.says("#window-text", "(30 min)");
    await page.says("#entries-text", "1 to 12 of 12");
    await page.press("#pan-back");
    await page.press("#pan-back");
    await page.says("#entries-text", "of 12");
    await until("the button for now", WAIT_MS, async () =>
      when(await page.page.$eval("#now", (button) => !button.hasAttribute("disabled"))),
    );
    await page.page.select("#span", String(24 * 3600 * 1000));
    await page.says("#window-text", "to now (1 d)");
    await page.says("#entries-text", "1 to 24 of 24");
    const inside =
      "(() => { const box = document.querySelector('#timeline svg').getBoundingClientRect(); return [box.left, box.top, box.width]; })()";
    await page.press("#timeline");
    const [left = 0, top = 0, width = 0] = (await page.page.evaluate(inside)) as number[];
    await page.page.mouse.move(left + width * 0.5, top + 5);
    await page.page.mouse.down();
    await page.page.mouse.move(left + width * 0.75, top + 5, { steps: 4 });
    await page.page.mouse.up();
    await page.says("#window-text", "(6 h");
  });
});

browserTest("filters ask the server for kinds, and look for words in what is there", async () => {
  const server = new FakeServer();
  await withPage(server, async (page) => {
    await page.ready();
    await page.press("#filter-groups input[value=scripts] + span");
    await page.says("#entries-text", "1 to 2 of 2");
    const asked = server.asked.findLast(
      ({ path, query }) => path === "/api/v1/journal" && query.has("until"),
    );
    expect(asked?.query.get("kind")).toBe("script_failed,event_failed,event_recovered");
    await page.press("#filter-words");
    await page.page.keyboard.type("winbind");
    await page.says("#entries-text", "1 to 1 of 1");
    expect(new URL(page.page.url()).hash).toBe("#kinds=scripts&words=winbind");
    await page.page.select("#filter-node", "1");
    await page.page.waitForSelector("#entries-none", { visible: true });
    await until("the journal of one node was asked for", WAIT_MS, () =>
      when(server.asked.some(({ query }) => query.has("until") && query.get("node") === "1")),
    );
  });
});
