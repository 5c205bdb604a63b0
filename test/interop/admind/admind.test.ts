/**
 * ctdb-admind on a real cluster of two nodes of ours and one of Debian's, of the executable and under Deno: answers as the
 * description of the API says, actions, the journal of all nodes, a node that is killed, a ctdbd that is restarted.
 */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OpenApiChecker } from "../../admin/openapi_checker.ts";
import { DIST } from "../../support/executables.ts";
import { stockInstalled, type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { until, when, within } from "../../support/until.ts";
import { Admind, eventsOf, type Runtime } from "./admind_process.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 240_000;
const WAIT_MS = 30_000;
const SEEN_MS_MAX = 2000;
const PROMTOOL = "/usr/bin/promtool";
const STOCK = 2;

/** Routes that want parameters. */
const QUERIES: Readonly<Record<string, string>> = {
  "/api/v1/tool/dbstatistics": "?arg=volatile.tdb",
  "/api/v1/tool/getdbseqnum": "?arg=persistent.tdb",
  "/api/v1/tool/getdbstatus": "?arg=persistent.tdb",
  "/api/v1/tool/gettickles": "?arg=127.0.0.201",
  "/api/v1/tool/getvar": "?arg=MonitorInterval",
  "/api/v1/tool/ipinfo": "?arg=127.0.0.201",
  "/api/v1/why": "?subject=flags&node=0",
  "/api/v1/journal": "?scope=cluster&limit=50",
};
/** What a cluster of this kind has none of. */
const NOT_THERE: Readonly<Record<string, number>> = {
  "/api/v1/tool/lvs": 400,
  "/api/v1/tool/natgw": 400,
};

async function answersAsDescribed(admind: Admind): Promise<void> {
  const checker = new OpenApiChecker(await (await admind.ask("/api/v1/openapi.json")).text());
  for (const [path, methods] of Object.entries(checker.document.paths)) {
    if (!("get" in methods) || path === "/api/v1/events") continue;
    const response = await admind.ask(`${path}${QUERIES[path] ?? ""}`);
    const type = response.headers.get("content-type") ?? "";
    const text = await response.text();
    const problems = checker.problems("GET", path, response.status, type, text);
    expect([path, response.status, problems]).toEqual([path, NOT_THERE[path] ?? 200, []]);
  }
}

async function metricsAreClean(admind: Admind): Promise<void> {
  const text = await (await admind.ask("/metrics")).text();
  const checked = Bun.spawnSync([PROMTOOL, "check", "metrics"], { stdin: Buffer.from(text) });
  expect([checked.stdout.toString(), checked.exitCode]).toEqual(["", 0]);
  expect(text).toContain("ctdb_loop_turn_duration_seconds_bucket{span=");
  expect(text).toContain('ctdb_database_info{database="volatile.tdb",kind="volatile"');
}

async function everyNodeIsShown(admind: Admind): Promise<void> {
  const cluster = await admind.json("/api/v1/cluster");
  const nodes = cluster["nodes"] as readonly { readonly own_journal: string }[];
  expect(nodes.map(({ own_journal }) => own_journal)).toEqual(["kept", "none", "none"]);
  const views = cluster["views"] as readonly { readonly sees: readonly unknown[] | null }[];
  expect(views.map(({ sees }) => sees?.length)).toEqual([3, 3, 3]);
  const { sources } = await admind.json("/api/v1/journal?scope=cluster");
  expect(
    (sources as readonly { readonly journal: string }[]).map(({ journal }) => journal),
  ).toEqual(["kept", "none", "none"]);
}

interface ActionEvent {
  readonly process: string;
  readonly event: { readonly action: string };
}

/** What webhooks were sent: kinds of events. */
function hooked(): { readonly url: string; readonly kinds: readonly string[]; stop(): void } {
  const kinds: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { event } = (await request.json()) as { readonly event: { readonly kind: string } };
      kinds.push(event.kind);
      return new Response(null, { status: 204 });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/hook`,
    kinds,
    stop: () => void server.stop(true),
  };
}

async function actsAndRecords(admind: Admind): Promise<void> {
  const done = await admind.act("disable", { node: 1 });
  expect(done).toMatchObject({ action: "disable", before: "OK", after: "DISABLED" });
  await admind.act("enable", { node: 1 });
  const set = await admind.act("setvar", { node: 0, name: "MonitorInterval", value: 14 });
  expect(set).toMatchObject({ before: "15", after: "14" });
  const kept = async () => {
    const { events } = await admind.json("/api/v1/journal?kind=action&order=asc");
    // ctdbd tells of what a client asks another node for, too.
    return (events as readonly ActionEvent[])
      .filter(({ process }) => process === "admind")
      .map(({ event }) => event.action);
  };
  await until("actions are in the journal", WAIT_MS, async () =>
    when((await kept()).join() === "disable,enable,setvar"),
  );
}

/** The stream says so, and so does the next question. */
async function aKilledNodeIsSeen(admind: Admind, cluster: TestCluster): Promise<void> {
  const response = await admind.ask("/api/v1/events");
  const events = eventsOf(response);
  await within("the stream begins", WAIT_MS, events.next());
  await cluster.kill(1);
  const startMs = performance.now();
  const isGone = (data: Record<string, unknown>) =>
    (data["nodes"] as readonly { readonly flags: readonly string[] }[])[1]?.flags.includes(
      "DISCONNECTED",
    ) === true;
  const seen = async () => {
    for await (const { event, data } of events) if (event === "cluster" && isGone(data)) return;
    throw new Error("the stream has ended");
  };
  await within("the stream tells of the dead node", WAIT_MS, seen());
  expect(performance.now() - startMs).toBeLessThan(SEEN_MS_MAX);
  expect(isGone(await admind.json("/api/v1/cluster"))).toBe(true);
}

async function aRestartedDaemonIsFound(admind: Admind, cluster: TestCluster): Promise<void> {
  await cluster.stop(0);
  await until("the node is not ready", WAIT_MS, async () =>
    when((await admind.status("/readyz")) === 503),
  );
  expect(await admind.status("/livez")).toBe(200);
  await until("nobody tells of the cluster", WAIT_MS, async () =>
    when((await admind.status("/api/v1/cluster")) === 503),
  );
  await until("metrics say so", WAIT_MS, async () =>
    when((await (await admind.ask("/metrics")).text()).includes("ctdb_up 0\n")),
  );
  await cluster.start(0, 1);
  await until("the node is ready again", WAIT_MS, async () =>
    when((await admind.status("/readyz")) === 200),
  );
  const { events } = await admind.json("/api/v1/journal?kind=process_started&limit=20");
  const processes = (events as readonly { readonly event: { readonly process: string } }[]).map(
    ({ event }) => event.process,
  );
  expect(processes.filter((process) => process === "ctdbd").length).toBeGreaterThanOrEqual(2);
}

async function show(runtime: Runtime): Promise<void> {
  await withCluster({ nodes: 3, stock: [STOCK] }, async (cluster) => {
    await cluster.waitReady();
    for (const line of [
      "attach volatile.tdb",
      "attach persistent.tdb persistent",
      "addip 127.0.0.201/8 lo",
    ]) {
      expect((await cluster.ctdb(0, ...line.split(" "))).code).toBe(0);
    }
    const hook = hooked();
    const admin = ["actions = yes", `webhooks = ${hook.url}`];
    await using admind = await Admind.start(cluster, 0, { runtime, admin });
    await answersAsDescribed(admind);
    if (existsSync(PROMTOOL)) await metricsAreClean(admind);
    await everyNodeIsShown(admind);
    await actsAndRecords(admind);
    await until("webhooks tell of the actions", WAIT_MS, () =>
      when(hook.kinds.filter((kind) => kind === "action").length >= 3),
    );
    hook.stop();
    await aKilledNodeIsSeen(admind, cluster);
    // What stops a node of a test ends all executables of that node.
    if (runtime === "deno") await aRestartedDaemonIsFound(admind, cluster);
  });
}

/** The process that runs there, by its environment. */
function admindOf(base: string): number {
  const found = readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      if (readlinkSync(`/proc/${name}/exe`) !== join(DIST, "ctdb-admind")) return false;
      return readFileSync(`/proc/${name}/environ`, "latin1").includes(`CTDB_BASE=${base}\0`);
    } catch {
      return false;
    }
  });
  expect(found).toHaveLength(1);
  return Number(found[0]);
}

/** Its ctdbd starts it, starts it again, and ends it. */
async function asAChild(): Promise<void> {
  await withCluster({ nodes: 2 }, async (cluster) => {
    await cluster.waitReady();
    const base = cluster.base(0);
    const socket = `${base}/run/admind.socket`;
    const isReady = async () => {
      const asked = fetch("http://node/readyz", { unix: socket } as RequestInit);
      return when((await asked.catch(() => undefined))?.status === 200);
    };
    writeFileSync(`${base}/ctdb-appliance.conf`, "[admin]\nenabled = yes\n");
    expect((await cluster.ctdb(0, "reload")).code).toBe(0);
    await until("ctdb-admind is started", WAIT_MS, isReady);
    const said = await fetch("http://node/", { unix: socket } as RequestInit);
    expect(said.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(await said.text()).toContain("<!doctype html>");

    process.kill(admindOf(base), "SIGKILL");
    await until("the killed one is gone", WAIT_MS, async () => when((await isReady()) !== true));
    await until("ctdb-admind is started again", WAIT_MS, isReady);
    await cluster.stop(0);
    await until("it has ended with its ctdbd", WAIT_MS, async () =>
      when((await isReady()) !== true),
    );
  });
}

interop("ctdbd starts ctdb-admind, starts it again and ends it", asAChild, LIMIT_MS);

interop("ctdb-admind of the executable on a real cluster", () => show("bun"), LIMIT_MS);
interop("ctdb-admind under Deno on a real cluster", () => show("deno"), LIMIT_MS);
