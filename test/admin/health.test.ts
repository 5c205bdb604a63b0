/** Health, as Kubernetes and load balancers ask for it. */
import { expect, test } from "bun:test";
import { err, ok } from "../../src/base/result.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { AdminBench, OWN } from "./bench.ts";

async function ask(bench: AdminBench, path: string): Promise<readonly [number, string]> {
  const response = await bench.ask(path);
  return [response.status, await response.text()];
}

/** Statuses of livez, readyz and healthz. */
async function statuses(bench: AdminBench): Promise<readonly number[]> {
  const all = ["/livez", "/readyz", "/healthz"].map((path) => bench.ask(path));
  return (await Promise.all(all)).map(({ status }) => status);
}

test("a healthy node is ok, without a word about public addresses", async () => {
  const bench = new AdminBench();
  expect(await statuses(bench)).toEqual([200, 200, 200]);
  expect(await ask(bench, "/readyz")).toEqual([200, "ok"]);
  expect(await ask(bench, "/readyz?verbose")).toEqual([
    200,
    "[+]ping ok\n[+]ctdbd ok\n[+]runstate ok\n[+]recovery ok\n[+]node ok\n[+]leader ok\nreadyz check passed\n",
  ]);
  expect(bench.looks).toBe(0);
});

test.each([
  ["the daemon is away", err("ctdbd is not connected")],
  ["it still starts", ok({ ...OWN, runstate: "STARTUP" })],
  ["a recovery goes on", ok({ ...OWN, recovering: true })],
  ["it is banned", ok({ ...OWN, flags: NODE_FLAGS.BANNED })],
  ["it is stopped", ok({ ...OWN, flags: NODE_FLAGS.STOPPED })],
  ["it is disabled", ok({ ...OWN, flags: NODE_FLAGS.PERMANENTLY_DISABLED })],
  ["it is unhealthy", ok({ ...OWN, flags: NODE_FLAGS.UNHEALTHY })],
  ["there is no leader", ok({ ...OWN, leader: null })],
] as const)("a node is alive and not ready when %s", async (_name, own) => {
  const bench = new AdminBench();
  bench.own = own;
  expect(await statuses(bench)).toEqual([200, 503, 503]);
});

test("a daemon that has said nothing for long is not alive", async () => {
  const bench = new AdminBench();
  bench.own = err("ctdbd does not answer");
  bench.silentSinceMs = 0;
  await bench.time.advance(29_999);
  expect((await ask(bench, "/livez"))[0]).toBe(200);
  await bench.time.advance(1);
  const [status, text] = await ask(bench, "/livez?verbose");
  expect([status, text]).toEqual([
    503,
    "[+]ping ok\n[-]ctdbd-alive failed: ctdbd has not answered for 30 s\nlivez check failed\n",
  ]);
});

test("a check that is excluded does not count", async () => {
  const bench = new AdminBench();
  bench.own = ok({ ...OWN, flags: NODE_FLAGS.UNHEALTHY, leader: null });
  expect((await ask(bench, "/readyz?exclude=node"))[0]).toBe(503);
  expect((await ask(bench, "/readyz?exclude=node&exclude=leader"))[0]).toBe(200);
  const [, text] = await ask(bench, "/readyz?verbose&exclude=node");
  expect(text).toContain("[+]node excluded: ok\n[-]leader failed: no leader is heard\n");
});

test("a journal that cannot be read makes a node unhealthy, not unready", async () => {
  const bench = new AdminBench();
  bench.journalProblem = "the disk is full";
  expect(await statuses(bench)).toEqual([200, 200, 503]);
  expect((await ask(bench, "/healthz?verbose"))[1]).toContain(
    "[-]journal failed: the disk is full",
  );
  expect(await statuses(new AdminBench({ withoutJournal: true }))).toEqual([200, 200, 200]);
});
