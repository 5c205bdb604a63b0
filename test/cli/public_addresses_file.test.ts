/** `addip --write` and `delip --write`: the own node's file of public addresses follows the running node. */
import { expect, test } from "bun:test";
import { parseAddress } from "../../src/wire/structs/socket_address.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { must } from "../support/must.ts";
import { BASE, daemon, nodeAt, runCtdb } from "./tool_harness.ts";

const PATH = `${BASE}/public_addresses`;
const TEXT = "# front\n10.0.0.31/24  eth0,eth1\n10.0.0.32/24 eth0";
const KNOWN = must(parseAddress("10.0.0.31"));

interface World {
  readonly ctdbd: FakeCtdbd;
  readonly files: Map<string, string | undefined>;
}

/** The running node knows 10.0.0.31, on two interfaces. */
function world(text: string | undefined = TEXT): World {
  const ifaces = ["eth0", "eth1"].map((name) => ({ name, link_state: 1, references: 0 }));
  const head = { ip: { pnn: 0, addr: KNOWN }, active_idx: 0 };
  const ctdbd = daemon([nodeAt(0), nodeAt(1)])
    .on("GET_PUBLIC_IPS", () => ({ data: [{ addr: KNOWN, pnn: 0 }] }))
    .on("GET_PUBLIC_IP_INFO", () => ({ data: { head, ifaces } }))
    .on("ADD_PUBLIC_IP", () => ({}))
    .on("DEL_PUBLIC_IP", () => ({}));
  return { ctdbd, files: new Map([[PATH, text]]) };
}

async function run({ ctdbd, files }: World, ...args: string[]) {
  const { status, out, err } = await runCtdb({ ctdbd, changed: files }, ...args);
  expect(out).toBe("");
  const changes = ctdbd.controls.filter(({ name }) => /^(ADD|DEL)_PUBLIC_IP$/.test(name));
  return { status, err, changes: changes.map(({ name }): string => name), text: files.get(PATH) };
}

test("addip --write adds the address to the running node and a line to the file", async () => {
  const added = ["ADD_PUBLIC_IP"];
  const line = "2001:db8::7/64 eth0,eth1\n";
  expect(await run(world(), "addip", "2001:DB8:0::7/64", "eth0,eth1", "--write")).toEqual({
    status: 0,
    err: "",
    changes: added,
    text: `${TEXT}\n${line}`,
  });
  const [without, none] = [world(), world()];
  expect(await run(without, "addip", "10.0.0.33/24", "eth0")).toMatchObject({ text: TEXT });
  none.files.delete(PATH);
  expect(await run(none, "--write", "addip", "2001:db8::7/64", "eth0,eth1")).toEqual({
    status: 0,
    err: "",
    changes: added,
    text: line,
  });
});

test("addip --write puts into the file what the running node knows already, once", async () => {
  const err = "Node already knows about IP 10.0.0.31\n";
  const args = ["addip", "10.0.0.31/24", "eth1,eth0", "--write"];
  expect(await run(world(), ...args)).toEqual({ status: 0, err, changes: [], text: TEXT });
  const empty = world("");
  const text = "10.0.0.31/24 eth1,eth0\n";
  expect(await run(empty, ...args)).toEqual({ status: 0, err, changes: [], text });
  const other = await run(world(""), "addip", "10.0.0.31/24", "eth2", "--write");
  expect(other).toMatchObject({ status: 1, changes: [], text: "" });
  expect(other.err).toEndWith("node 0 has 10.0.0.31 on eth0,eth1, got eth2; nothing was changed\n");
});

test("addip --write of what stands otherwise in the file says that only the running node has changed", async () => {
  expect(await run(world(), "addip", "10.0.0.32/25", "eth0", "--write")).toEqual({
    status: 1,
    err:
      `10.0.0.32 was added to running node 0, but "${PATH}" could not be changed: ` +
      'line 3: expected "10.0.0.32/25 eth0" or nothing, got "10.0.0.32/24 eth0"\n',
    changes: ["ADD_PUBLIC_IP"],
    text: TEXT,
  });
});

test("delip --write removes the address from the running node and its line from the file", async () => {
  expect(await run(world(), "delip", "::ffff:10.0.0.31", "--write")).toEqual({
    status: 0,
    err: "",
    changes: ["DEL_PUBLIC_IP"],
    text: "# front\n10.0.0.32/24 eth0",
  });
  expect(await run(world(), "delip", "10.0.0.31")).toMatchObject({ text: TEXT });
  expect(await run(world(), "delip", "10.0.0.32", "--write")).toEqual({
    status: 0,
    err: "Node does not know about IP address 10.0.0.32\n",
    changes: [],
    text: "# front\n10.0.0.31/24  eth0,eth1\n",
  });
});

test("addip and delip --write leave the file alone when the running node refuses", async () => {
  const refusing = world();
  refusing.ctdbd.on("DEL_PUBLIC_IP", () => ({ status: -1 }));
  const { status, text } = await run(refusing, "delip", "10.0.0.31", "--write");
  expect([status, text]).toEqual([1, TEXT]);
});

test("addip and delip --write name a file that cannot be changed, and say what the running node has", async () => {
  const unreadable = () => {
    const one = world();
    one.files.set(PATH, undefined);
    return one;
  };
  const reason = `but "${PATH}" could not be changed: open "${PATH}": EACCES\n`;
  const added = await run(unreadable(), "addip", "10.0.0.33/24", "eth0", "--write");
  expect(added).toMatchObject({
    status: 1,
    err: `10.0.0.33 was added to running node 0, ${reason}`,
    changes: ["ADD_PUBLIC_IP"],
  });
  const deleted = await run(unreadable(), "delip", "10.0.0.31", "--write");
  expect(deleted).toMatchObject({
    status: 1,
    err: `10.0.0.31 was deleted from running node 0, ${reason}`,
    changes: ["DEL_PUBLIC_IP"],
  });
});

test("addip and delip --write refuse another node, and words that the file cannot hold, before any change", async () => {
  const refused = async (...args: string[]) => {
    const { status, err, changes, text } = await run(world(), ...args, "--write");
    expect([status, changes, text]).toEqual([1, [], TEXT]);
    return err;
  };
  const message =
    "Cannot use --write with -n 1: the file of public addresses of node 1 cannot be reached from node 0\n";
  expect(await refused("-n", "1", "addip", "10.0.0.33/24", "eth0")).toBe(message);
  expect(await refused("-n", "1", "delip", "10.0.0.31")).toBe(message);
  for (const iface of ["eth0\n10.0.0.9/8", "eth 0", "eth0,\teth1", "", ",", "x".repeat(17)]) {
    expect(await refused("addip", "10.0.0.33/24", iface)).toStartWith("Cannot use --write: ");
  }
  expect(await run(world(), "-n", "0", "delip", "10.0.0.31", "--write")).toMatchObject({
    status: 0,
  });
});

test("--write is refused by other commands", async () => {
  expect(await run(world(), "ip", "--write")).toMatchObject({
    status: 1,
    err: "--write not supported by the ip subcommand\n",
  });
});
