/** `ctdb node add`, `remove` and `repair` against scripted nodes whose files are in memory. */
import { expect, test } from "bun:test";
import { decodeExact, encode, i32Codec } from "../../src/wire/codec.ts";
import { disableMessage } from "../../src/wire/structs/cluster.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime } from "../support/manual_time.ts";
import { withNodesFiles } from "./nodes_files_world.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const FILE = "10.0.0.1\n10.0.0.2\n";

/** Recovery daemons that do as they are asked; those in `busy` refuse so often before. */
function cluster(nodes = [nodeAt(0), nodeAt(1)], busy = 0): FakeCtdbd {
  const ctdbd = daemon(nodes).on("RELOAD_NODES_FILE", () => ({}));
  let refusals = busy;
  ctdbd.onMessage = ({ data, destnode }) => {
    const asked = decodeExact(disableMessage, data);
    if (!asked.ok) return;
    refusals -= 1;
    const answer = refusals >= 0 ? -11 : destnode;
    ctdbd.sendMessage(asked.value.srvid, encode(i32Codec, answer));
  };
  return ctdbd;
}

function reloads(ctdbd: FakeCtdbd): readonly number[] {
  return ctdbd.controls
    .filter(({ name }) => name === "RELOAD_NODES_FILE")
    .map(({ destnode }) => destnode);
}

test("node add shows the lines, changes the files of all nodes, and has them read", async () => {
  const ctdbd = cluster();
  const files = withNodesFiles(ctdbd, [FILE, FILE]);
  expect(await runCtdb({ ctdbd }, "node", "add", "10.0.0.9")).toEqual({
    status: 0,
    out:
      "/etc/ctdb/nodes on nodes 0,1:\n+ line 3: 10.0.0.9\nNode 2 is NEW\nChanged on nodes 0,1\n" +
      "Node 2 (10.0.0.9): put this nodes file there, then start ctdbd\n",
    err: "",
  });
  expect(files.map(({ text, next }) => [text, next])).toEqual([
    [`${FILE}10.0.0.9\n`, undefined],
    [`${FILE}10.0.0.9\n`, undefined],
  ]);
  expect(reloads(ctdbd)).toEqual([0, 1]);
});

test("node add --dry-run changes nothing, and a terminal that says no neither", async () => {
  for (const [args, tty] of [
    [["--dry-run"], {}],
    [[], { answers: true, readLine: async () => "n" }],
  ] as const) {
    const ctdbd = cluster();
    const files = withNodesFiles(ctdbd, [FILE, FILE]);
    await runCtdb({ ctdbd, tty }, "node", "add", "10.0.0.9", ...args);
    expect(files.map(({ text, next }) => [text, next])).toEqual([
      [FILE, undefined],
      [FILE, undefined],
    ]);
    expect(reloads(ctdbd)).toEqual([]);
  }
});

test("node add waits for a recovery to end, then all read the file", async () => {
  const ctdbd = cluster([nodeAt(0), nodeAt(1)], 2);
  withNodesFiles(ctdbd, [FILE, FILE]);
  const time = new ManualTime();
  const ended = runCtdb({ ctdbd, time }, "node", "add", "10.0.0.9");
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    await time.advance(10);
  }
  const { status, err } = await ended;
  expect([status, err]).toEqual([0, ""]);
  expect(reloads(ctdbd)).toEqual([0, 1]);
});

test("A node that cannot write leaves the old file everywhere, and nothing prepared", async () => {
  const ctdbd = cluster();
  const files = withNodesFiles(ctdbd, [FILE, FILE]);
  for (const file of files.slice(1)) file.failure = 'write "/etc/ctdb/nodes.new": ENOSPC';
  const { status, err } = await runCtdb({ ctdbd }, "node", "add", "10.0.0.9");
  expect([status, err]).toEqual([
    1,
    'Node 1 refused: write "/etc/ctdb/nodes.new": ENOSPC\nNothing was changed\n',
  ]);
  expect(files.map(({ text, next }) => [text, next])).toEqual([
    [FILE, undefined],
    [FILE, undefined],
  ]);
});

test("node remove takes nodes that are gone only, and says what to do with others", async () => {
  const connected = cluster();
  withNodesFiles(connected, [FILE, FILE]);
  const refused = await runCtdb({ ctdbd: connected }, "node", "remove", "1");
  expect(refused.err).toBe(
    'Node 1 is still connected and active: run "ctdb drain 1", then "ctdb shutdown -n 1" first\n',
  );
  const ctdbd = cluster([nodeAt(0), nodeAt(1, GONE)]);
  const [file] = withNodesFiles(ctdbd, [FILE]);
  expect((await runCtdb({ ctdbd }, "node", "remove", "1")).status).toBe(0);
  expect(file?.text).toBe("10.0.0.1\n#10.0.0.2\n");
});

test("A node of another make, a list by a command, and files that differ are named", async () => {
  const said = async (lists: Parameters<typeof withNodesFiles>[1], ...args: readonly string[]) => {
    const ctdbd = cluster();
    const files = withNodesFiles(ctdbd, lists);
    const { status, err } = await runCtdb({ ctdbd }, "node", ...args);
    expect(status).toBe(1);
    expect(files.every(({ next }) => next === undefined)).toBe(true);
    return err;
  };
  expect(await said([FILE], "add", "10.0.0.9")).toContain("Node 1 runs another ctdbd");
  const command = { command: "!/bin/list" };
  expect(await said([FILE, command], "add", "10.0.0.9")).toContain(
    'Node 1 has its list of nodes from a command, "!/bin/list"',
  );
  expect(await said([FILE, "10.0.0.1\n10.0.0.3\n"], "add", "10.0.0.9")).toBe(
    "The nodes files of node 0 and node 1 differ:\n" +
      '  line 2: "10.0.0.2" on node 0, "10.0.0.3" on node 1\n' +
      'Nothing was changed. "ctdb node repair PNN" gives all nodes the file of node PNN\n',
  );
});

test("node repair installs what another node has installed, and drops what none has", async () => {
  const changed = `${FILE}10.0.0.9\n`;
  const ctdbd = cluster();
  const files = withNodesFiles(ctdbd, [changed, FILE]);
  for (const file of files.slice(1)) file.next = changed;
  const installed = await runCtdb({ ctdbd }, "node", "repair");
  expect(installed.out).toStartWith(
    "Node 1 installs the change that another node has installed already\n",
  );
  expect(files.map(({ text, next }) => [text, next])).toEqual([
    [changed, undefined],
    [changed, undefined],
  ]);
  expect(reloads(ctdbd)).toEqual([0, 1]);

  const undecided = cluster();
  const old = withNodesFiles(undecided, [FILE, FILE]);
  for (const file of old) file.next = changed;
  expect((await runCtdb({ ctdbd: undecided }, "node", "repair")).status).toBe(0);
  expect(old.map(({ text, next }) => [text, next])).toEqual([
    [FILE, undefined],
    [FILE, undefined],
  ]);
  expect(reloads(undecided)).toEqual([]);
});
