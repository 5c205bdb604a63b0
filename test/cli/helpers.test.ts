/** Commands that are programs of their own, and the one that only binds; statuses are the original's. */
import { expect, test } from "bun:test";
import type { HelperEnd } from "../../src/cli/host.ts";
import { daemon, nodeAt, runCtdb, type ToolWorld } from "./tool_harness.ts";

const [ENOENT, EINTR, EADDRINUSE] = [2, 4, 98];

/** The arguments that each helper got, and how it ends. */
function helpers(ends: Readonly<Record<string, HelperEnd>>) {
  const calls: (readonly string[])[] = [];
  const made = Object.entries(ends).map(([name, end]) => [
    name,
    (args: readonly string[]) => {
      calls.push([name, ...args]);
      return end;
    },
  ]);
  const world: ToolWorld = { ctdbd: daemon([nodeAt(0)]), helpers: Object.fromEntries(made) };
  return { world, calls };
}
const status = (value: number): HelperEnd => ({ kind: "status", status: value });

test("natgw and lvs run their helpers with the one argument, and end as they do", async () => {
  const { world, calls } = helpers({ ctdb_natgw: status(0), ctdb_lvs: status(7) });
  expect(await runCtdb(world, "natgw", "leader")).toEqual({ status: 0, out: "", err: "" });
  expect(await runCtdb(world, "lvs", "list")).toEqual({ status: 7, out: "", err: "" });
  expect(calls).toEqual([
    ["ctdb_natgw", "leader"],
    ["ctdb_lvs", "list"],
  ]);
  expect((await runCtdb(world, "natgw")).out).toContain("show natgw configuration");
  expect((await runCtdb(world, "lvs", "list", "more")).out).toContain("show lvs configuration");
  expect(calls.length).toBe(2);
});

test("a helper that fails to start, says so itself, or is killed, is told", async () => {
  const { world } = helpers({ ctdb_natgw: status(66), ctdb_lvs: { kind: "signal", signal: 9 } });
  expect(await runCtdb(world, "natgw", "list")).toEqual({
    status: 2,
    out: "",
    err: "NAT gateway helper failed with error 2\n",
  });
  expect(await runCtdb(world, "lvs", "list")).toEqual({
    status: EINTR,
    out: "",
    err: "LVS helper terminated with signal 9\n",
  });
  expect(await runCtdb(world, "event", "status")).toEqual({
    status: ENOENT,
    out: "",
    err: "event daemon helper failed with error 2\n",
  });
  const own = helpers({ ctdb_natgw: status(255) });
  expect(await runCtdb(own.world, "natgw", "list")).toEqual({ status: 255, out: "", err: "" });
});

test("event passes everything on; scriptstatus asks for one event and never fails", async () => {
  const { world, calls } = helpers({ "ctdb-event": status(22) });
  const run = (...args: string[]) => runCtdb(world, ...args);
  expect((await run("event", "script", "enable", "legacy", "50.samba")).status).toBe(22);
  expect((await run("event")).status).toBe(22);
  expect(await run("scriptstatus")).toEqual({ status: 0, out: "", err: "" });
  expect((await run("scriptstatus", "startup")).status).toBe(0);
  expect(calls).toEqual([
    ["ctdb-event", "script", "enable", "legacy", "50.samba"],
    ["ctdb-event"],
    ["ctdb-event", "status", "legacy", "monitor"],
    ["ctdb-event", "status", "legacy", "startup"],
  ]);
  expect((await run("scriptstatus", "startup", "more")).status).toBe(1);
  expect((await run("-n", "1", "event")).err).toBe("Cannot specify node for command event\n");
});

test("checktcpport ends with why the port cannot be had", async () => {
  const world = { ports: [445, 0] };
  expect(await runCtdb(world, "checktcpport", "80")).toEqual({ status: 0, out: "", err: "" });
  expect(await runCtdb(world, "checktcpport", "445")).toEqual({
    status: EADDRINUSE,
    out: "",
    err: "Failed to bind to TCP port 445\n",
  });
  // As the C library reads numbers: the low 16 bits of what stands in front.
  expect((await runCtdb(world, "checktcpport", "65981x")).err).toBe(
    "Failed to bind to TCP port 65981\n",
  );
  expect((await runCtdb(world, "checktcpport", "x")).err).toBe("Failed to bind to TCP port 0\n");
  expect((await runCtdb(world, "checktcpport")).status).toBe(1);
});
