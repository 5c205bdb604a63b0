/** `ctdb doctor` from a command line to its output, with daemons that a test scripts. What checks find: checks.test.ts. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import type { Machine } from "../../src/cli/doctor/machine.ts";
import { doctorFacts } from "../../src/cli/schemas/doctor.ts";
import { encode } from "../../src/wire/codec.ts";
import { PING_KNOWLEDGE } from "../../src/wire/controls.ts";
import { nodeKnowledge } from "../../src/wire/structs/cluster.ts";
import { fakeMachine } from "../support/fake_machine.ts";
import { ManualTime } from "../support/manual_time.ts";
import { until, when, within } from "../support/until.ts";
import { DOCTOR_DIRECTORIES, DOCTOR_FILES, doctorWorld, healthyDaemon } from "./doctor_world.ts";
import { BASE, GONE, nodeAt, runCtdb, type ToolRun } from "./tool_harness.ts";

const PATIENCE_MS = 2000;

/** A fake daemon speaks no event protocol: that its event daemon is dead is always found. */
const EVENTS_DEAD = "event-daemon-dead";

function idsIn({ out }: ToolRun): readonly string[] {
  const { schema_version, ...facts } = JSON.parse(out);
  expect(schema_version).toBe(1);
  return v.parse(doctorFacts, facts).findings.map(({ id }) => id);
}

test("A clock that is 5 s ahead or behind is named, one that is 1 s off is not", async () => {
  const time = new ManualTime();
  const run = (offset: number, ...args: string[]) =>
    runCtdb(doctorWorld(healthyDaemon(time, [0, offset]), time), ...args, "doctor");
  expect(idsIn(await run(1, "--json"))).toEqual([EVENTS_DEAD]);
  expect(idsIn(await run(5, "--json"))).toEqual([EVENTS_DEAD, "clocks-differ"]);
  const behind = await run(-5);
  expect([behind.err, behind.status]).toEqual(["", 2]);
  expect(behind.out).toContain(
    "\nWARNING clocks-differ: The clock of node 1 is 5.0 s behind\n  why: times of files jump",
  );
});

test("A peer of another release is named where our own daemon tells it", async () => {
  const time = new ManualTime();
  const known = {
    leader: 1,
    leader_age: 0,
    heard: [0, 0],
    problems: [],
    versions: [0x40019, 0x40011],
    missing_links: [],
  };
  const ctdbd = healthyDaemon(time).on("PING", () => ({
    status: 1,
    data: encode(nodeKnowledge, known),
  }));
  const run = await runCtdb(doctorWorld(ctdbd, time), "--json", "doctor");
  expect(idsIn(run)).toEqual([EVENTS_DEAD, "peer-old"]);
  expect(run.out).toContain("Node 1 announces Samba 4.17, and this node 4.25");
  expect(ctdbd.controls.some(({ flags }) => flags === PING_KNOWLEDGE)).toBe(true);
});

test("A peer that hangs is a finding, after a bounded wait", async () => {
  const time = new ManualTime();
  const ctdbd = healthyDaemon(time);
  const answers = ctdbd.handler("UPTIME");
  const answered = ctdbd.on("UPTIME", (request, pnn, flags) =>
    pnn === 1 || answers === undefined ? "silent" : answers(request, pnn, flags),
  );
  const run = runCtdb(doctorWorld(answered, time), "--json", "doctor");
  const peerIsAsked = () => ctdbd.controls.some(({ destnode }) => destnode === 1);
  await until("a peer is asked", PATIENCE_MS, () => when(peerIsAsked()));
  await time.advance(3000);
  expect(idsIn(await within("the end", PATIENCE_MS, run))).toEqual([EVENTS_DEAD, "node-silent"]);
});

test("With a node that is gone a connection is tried", async () => {
  const time = new ManualTime();
  const tried: unknown[] = [];
  const ctdbd = healthyDaemon(time).on("GET_NODEMAP", () => ({
    data: [nodeAt(0), nodeAt(1, GONE)],
  }));
  const machine: Partial<Machine> = {
    reach: async (...to) => {
      tried.push(to);
      return "timeout";
    },
  };
  const run = await runCtdb(doctorWorld(ctdbd, time, machine), "--json", "doctor");
  expect(idsIn(run)).toEqual([EVENTS_DEAD, "node-behind-firewall", "node-disconnected"]);
  expect(tried).toEqual([["10.0.0.2", 4379, 3000]]);
});

test("Without a daemon the checks of this machine are made, and the end of the log is told", async () => {
  const log = `${BASE}/log.ctdb`;
  const files = {
    ...DOCTOR_FILES,
    [log]: `old line\nCannot bind to 10.0.0.1: \x1b[31mEADDRINUSE\n`,
  };
  const machine = fakeMachine(files, DOCTOR_DIRECTORIES, { reach: async () => "open" });
  const { status, out, err: said } = await runCtdb({ machine }, "doctor");
  expect([said, status]).toEqual(["", 2]);
  expect(out).toStartWith(
    "ERROR daemon-not-running: ctdbd does not run; the log ends with: " +
      "Cannot bind to 10.0.0.1: ?[31mEADDRINUSE\n",
  );
  const verbose = await runCtdb({ machine }, "-v", "doctor");
  expect(verbose.out).toContain("\nfine nodes-file-invalid: the lines of the nodes list\n");
  expect(verbose.out).not.toContain("clocks-differ");
});

test("An argument is refused with the status for usage", async () => {
  const { status, out, err: said } = await runCtdb({}, "doctor", "everything");
  expect([said, status]).toEqual(["", 64]);
  expect(out).toContain("find out what is wrong here");
});
