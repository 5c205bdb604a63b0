/** What `listnodes` and `reloadnodes` say about the nodes file, word for word as Samba's newest tool. */
import { expect, test } from "bun:test";
import { decodeExact, encode, i32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { disableMessage } from "../../src/wire/structs/cluster.ts";
import { must } from "../support/must.ts";
import { BASE, daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const CONF = { [`${BASE}/ctdb.conf`]: "[cluster]\n nodes list = !/bin/list  all\n" };

function withOutput(output: string) {
  return { files: CONF, commands: { "/bin/list": output } };
}

test("listnodes says from where it could not read the nodes", async () => {
  expect(await runCtdb({}, "listnodes")).toEqual({
    status: 1,
    out: "",
    err: `Failed to read nodes from "${BASE}/nodes"\n`,
  });
  const files = { [`${BASE}/nodes`]: "10.0.0.1\nnode1\nnode2\n" };
  expect((await runCtdb({ files }, "listnodes")).err).toBe(
    `Invalid node address node1\nFailed to read nodes from "${BASE}/nodes"\n`,
  );
  // A vertical tab is no blank around an address.
  const tabbed = { [`${BASE}/nodes`]: "10.0.0.1 \t\r\n10.0.0.2\v\n" };
  expect((await runCtdb({ files: tabbed }, "listnodes")).err).toBe(
    `Invalid node address 10.0.0.2\v\nFailed to read nodes from "${BASE}/nodes"\n`,
  );
});

test("listnodes says why the command could not be started, and nothing of its own when it printed nothing", async () => {
  const failed = 'Failed to read nodes from "!/bin/list all"\n';
  expect(await runCtdb({ files: CONF }, "listnodes")).toEqual({
    status: 1,
    out: "",
    err: `sys_popenv: ERROR executing command '/bin/list': No such file or directory\n${failed}`,
  });
  expect(await runCtdb(withOutput(""), "listnodes")).toEqual({ status: 1, out: "", err: failed });
  const xml = await runCtdb(withOutput('<nodes>\n<node id="0" />\n'), "listnodes");
  expect(xml).toEqual({ status: 1, out: "", err: `Invalid node address <nodes>\n${failed}` });
});

test("reloadnodes tells of the nodes in their order, warnings among changes, new ones last", async () => {
  const known = [nodeAt(0), nodeAt(1, GONE), nodeAt(2, GONE)];
  const files = { [`${BASE}/nodes`]: "10.0.0.1\n10.0.0.2\n#10.0.0.3\n10.0.0.4\n" };
  const listed = [nodeAt(0), nodeAt(1), nodeAt(2, NODE_FLAGS.DELETED), nodeAt(3)];
  const ctdbd = daemon(known)
    .on("GET_NODES_FILE", () => ({ data: listed }))
    .on("RELOAD_NODES_FILE", () => ({}));
  ctdbd.onMessage = ({ destnode, data }) => {
    const { srvid } = must(decodeExact(disableMessage, data));
    queueMicrotask(() => ctdbd.sendMessage(srvid, encode(i32Codec, destnode)));
  };
  const terminal: string[] = [];
  const { status } = await runCtdb({ ctdbd, files, terminal }, "reloadnodes");
  expect(terminal).toEqual([
    "WARNING: Node 1 is disconnected. You MUST fix this node manually!\n",
    "Node 2 is DELETED\n",
    "Node 3 is NEW\n",
  ]);
  expect(status).toBe(0);
});
