/**
 * 10.interface and 13.per_ip_routing in a host of namespaces with Debian's ip, ss, iptables and ethtool, and
 * Debian's ctdb_killtcp for the connections of a client host.
 */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { ScriptBench, SILENT } from "../scripts/script_bench.ts";
import { until, when } from "../support/until.ts";
import { Namespaces, namespacesPossible } from "./namespaces.ts";
import { Network } from "./network.ts";

const KILLTCP = "/usr/libexec/ctdb/ctdb_killtcp";
const PROGRAMS = ["/usr/sbin/iptables", "/usr/sbin/ethtool", "/usr/bin/ss", KILLTCP];
const possible = namespacesPossible() && PROGRAMS.every((path) => existsSync(path));
const REAL = ["ip", "ss", "iptables", "ip6tables", "ethtool"];
const TEST_TIMEOUT_MS = 120_000;
const WAIT_MS = 10_000;

interface Place {
  readonly bench: ScriptBench;
  readonly server: Namespaces;
  readonly client: Namespaces;
}

/** A server with eth1 and eth2 and the scripts, and a client with 10.1.0.200, on one wire. */
async function withPlace(action: (place: Place) => Promise<void>): Promise<void> {
  const network = await Network.start();
  const server = await Namespaces.start("server");
  const client = await Namespaces.start("client");
  using bench = new ScriptBench(REAL, (argv, options) => server.run(argv, options));
  bench.environment["PATH"] = `${bench.path("bin")}:/usr/sbin:/usr/bin:/sbin:/bin`;
  bench.environment["PROCFS_PATH"] = "/proc";
  bench.write(
    "base/public_addresses",
    "10.1.0.1/24 eth1\n10.1.0.2/24 eth1,eth2\nfd00:1::1/64 eth1\n",
  );
  bench.write("state/my-pnn", "0\n");
  try {
    await network.connect(server, "eth1", "192.168.9.1/24");
    await network.connect(server, "eth2", "192.168.8.1/24");
    await network.connect(client, "eth1", "10.1.0.200/24");
    await action({ bench, server, client });
  } finally {
    for (const part of [client, server, network]) await part.end();
  }
}

/** "10.1.0.1/24" and so on, in the order of the kernel. */
async function addressesOf(server: Namespaces, name: string): Promise<readonly string[]> {
  const text = await server.must(["ip", "-brief", "addr", "show", "dev", name, "scope", "global"]);
  return text.trim().split(/\s+/).slice(2);
}

async function inputRules(server: Namespaces): Promise<string> {
  return (
    (await server.must(["iptables", "-S", "INPUT"])) +
    (await server.must(["ip6tables", "-S", "INPUT"]))
  );
}

const NO_RULES = "-P INPUT ACCEPT\n-P INPUT ACCEPT\n";

test.skipIf(!possible)(
  "10.interface takes, moves and releases addresses; others of their network stay",
  () =>
    withPlace(async ({ bench, server }) => {
      const event = (...args: readonly string[]) => bench.event("10.interface", ...args);
      expect(await event("takeip", "eth1", "10.1.0.1", "24")).toEqual(SILENT);
      expect(await event("takeip", "eth1", "10.1.0.2", "24")).toEqual(SILENT);
      expect(await event("takeip", "eth1", "fd00:1::1", "64")).toEqual(SILENT);
      expect(await addressesOf(server, "eth1")).toEqual([
        ...["192.168.9.1/24", "10.1.0.1/24", "10.1.0.2/24", "fd00:1::1/64"],
      ]);
      // The first of a network takes the others with it unless the kernel is told.
      expect((await event("releaseip", "eth1", "10.1.0.1", "24")).code).toBe(0);
      expect(await addressesOf(server, "eth1")).toEqual([
        "192.168.9.1/24",
        "10.1.0.2/24",
        "fd00:1::1/64",
      ]);
      expect((await event("updateip", "eth1", "eth2", "10.1.0.2", "24")).code).toBe(0);
      expect(await addressesOf(server, "eth1")).toEqual(["192.168.9.1/24", "fd00:1::1/64"]);
      expect(await addressesOf(server, "eth2")).toEqual(["192.168.8.1/24", "10.1.0.2/24"]);
      expect((await event("releaseip", "eth1", "10.1.0.2", "24")).output).toContain(
        "hosted on interface eth2 but VNN says eth1",
      );
      expect((await event("releaseip", "eth1", "fd00:1::1", "64")).code).toBe(0);
      expect(await addressesOf(server, "eth1")).toEqual(["192.168.9.1/24"]);
      expect(await inputRules(server)).toBe(NO_RULES);
      expect(bench.read("state/my-public-ip-addresses")).toBe("");
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "10.interface works with another name of the interface, and takes away what a dead daemon left",
  () =>
    withPlace(async ({ bench, server }) => {
      await server.must(["ip", "link", "property", "add", "dev", "eth1", "altname", "public-lan"]);
      bench.write("base/public_addresses", "10.1.0.1/24 public-lan\nfd00:1::1/64 eth1\n");
      const event = (...args: readonly string[]) => bench.event("10.interface", ...args);
      expect(await event("takeip", "public-lan", "10.1.0.1", "24")).toEqual(SILENT);
      expect(await event("startup")).toEqual(SILENT);
      expect(bench.calls("ctdb")).toContain("setifacelink public-lan up");
      expect(await event("releaseip", "public-lan", "10.1.0.1", "24")).toEqual(SILENT);
      await event("takeip", "eth1", "10.1.0.1", "24");
      await event("takeip", "eth1", "fd00:1::1", "64");
      expect((await event("init")).code).toBe(0);
      expect(await addressesOf(server, "eth1")).toEqual(["192.168.9.1/24"]);
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "10.interface takeip fails for an IPv6 address that another host has",
  () =>
    withPlace(async ({ bench, server, client }) => {
      await client.must(["ip", "addr", "add", "fd00:1::1/64", "dev", "eth1", "nodad"]);
      const { code, output } = await bench.event(
        "10.interface",
        "takeip",
        "eth1",
        "fd00:1::1",
        "64",
      );
      expect(output).toContain("Failed to add fd00:1::1/64 on dev eth1");
      expect(code).toBe(1);
      expect(await addressesOf(server, "eth1")).toEqual(["192.168.9.1/24"]);
      expect(bench.read("state/my-public-ip-addresses")).toBe("");
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "10.interface monitor sees a cut cable",
  () =>
    withPlace(async ({ bench, server }) => {
      bench.write("base/public_addresses", "10.1.0.1/24 eth3");
      await server.must(["ip", "link", "add", "eth3", "type", "veth", "peer", "name", "far3"]);
      await server.must(["ip", "link", "set", "far3", "up"]);
      expect((await bench.event("10.interface", "monitor")).code).toBe(0);
      expect(bench.calls("ctdb")).toContain("setifacelink eth3 up");
      await server.must(["ip", "link", "set", "far3", "down"]);
      expect((await bench.event("10.interface", "monitor")).output).toBe(
        "ERROR: No link on the public network interface eth3\n",
      );
      expect(bench.calls("ctdb").at(-1)).toBe("setifacelink eth3 down");
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "10.interface works where /proc/sys is read-only",
  () =>
    withPlace(async ({ bench, server }) => {
      const event = (...args: readonly string[]) => bench.event("10.interface", ...args);
      await server.must(["mount", "--bind", "/proc/sys", "/proc/sys"]);
      await server.must(["mount", "-o", "remount,ro,bind", "/proc/sys"]);
      expect(await event("init")).toEqual(SILENT);
      expect(await event("takeip", "eth1", "10.1.0.1", "24")).toEqual(SILENT);
      expect(await event("releaseip", "eth1", "10.1.0.1", "24")).toEqual(SILENT);
      expect(await addressesOf(server, "eth1")).toEqual(["192.168.9.1/24"]);
    }),
  TEST_TIMEOUT_MS,
);

/** A server that accepts one connection and says so, with what it inherits of Python. */
const LISTEN = `
import socket, sys
listener = socket.socket()
listener.bind((sys.argv[1], 2049))
listener.listen()
print("listening", flush=True)
connection, _ = listener.accept()
print("accepted", flush=True)
sys.stdin.read()
`;
const CONNECT = `
import socket, sys
connection = socket.create_connection((sys.argv[1], 2049))
print("connected", flush=True)
try:
    connection.recv(1)
    print("closed", flush=True)
except ConnectionResetError:
    print("reset", flush=True)
`;

/** Asks for the lines that a program prints, one at a time. */
function linesOf(program: Bun.Subprocess<"pipe", "pipe", "pipe">): () => Promise<string> {
  const reader = program.stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  return async () => {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) return text;
      text += decoder.decode(value);
    }
    const [line = "", ...rest] = text.split("\n");
    text = rest.join("\n");
    return line;
  };
}

test.skipIf(!possible)(
  "10.interface releaseip resets the connections of the address at both ends",
  () =>
    withPlace(async ({ bench, server, client }) => {
      bench.standIn("ctdb_killtcp", `exec ${KILLTCP} "$@"`);
      await bench.event("10.interface", "takeip", "eth1", "10.1.0.1", "24");
      const listening = server.spawn(["python3", "-c", LISTEN, "10.1.0.1"]);
      const said = linesOf(listening);
      expect(await said()).toBe("listening");
      const connecting = client.spawn(["python3", "-c", CONNECT, "10.1.0.1"]);
      const heard = linesOf(connecting);
      expect(await heard()).toBe("connected");
      expect(await said()).toBe("accepted");

      const { code, output } = await bench.event(
        "10.interface",
        "releaseip",
        "eth1",
        "10.1.0.1",
        "24",
      );
      expect(output).toContain("Killed 1/1 TCP connections to released IP 10.1.0.1");
      expect(code).toBe(0);
      expect(await heard()).toBe("reset");
      await until("the server's end is gone", WAIT_MS, async () =>
        when((await server.must(["ss", "-tnH", "state", "established"])) === ""),
      );
      expect(await inputRules(server)).toBe(NO_RULES);
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "13.per_ip_routing sends what comes from an address through its own gateway",
  () =>
    withPlace(async ({ bench, server }) => {
      // ip looks names of tables up in the system's file, so the server's is one of the bench.
      await server.must(["mount", "--bind", bench.path("etc"), "/etc/iproute2"]);
      bench.environment["CTDB_SYS_ETCDIR"] = "/etc";
      bench.options(
        [
          "CTDB_PER_IP_ROUTING_CONF=$CTDB_BASE/policy",
          "CTDB_PER_IP_ROUTING_RULE_PREF=100",
          "CTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000",
          "CTDB_PER_IP_ROUTING_TABLE_ID_HIGH=1100",
          "",
        ].join("\n"),
      );
      bench.write("base/policy", "10.1.0.1 10.1.0.0/24\n10.1.0.1 0.0.0.0/0 10.1.0.254\n");
      await bench.event("10.interface", "takeip", "eth1", "10.1.0.1", "24");
      expect(await bench.event("13.per_ip_routing", "takeip", "eth1", "10.1.0.1", "24")).toEqual(
        SILENT,
      );
      const route = () => server.run(["ip", "route", "get", "8.8.8.8", "from", "10.1.0.1"]);
      expect((await route()).stdout).toContain("via 10.1.0.254 dev eth1");
      expect(
        (await bench.event("13.per_ip_routing", "releaseip", "eth1", "10.1.0.1", "24")).code,
      ).toBe(0);
      expect((await route()).code).not.toBe(0);
      await bench.event("13.per_ip_routing", "takeip", "eth1", "10.1.0.1", "24");
      expect((await bench.event("13.per_ip_routing", "shutdown")).output).toContain(
        "Removing ip rule for public address 10.1.0.1 for routing table ctdb.10.1.0.1",
      );
      expect(await server.must(["ip", "rule", "show"])).not.toContain("10.1.0.1");
      expect(bench.read("etc/rt_tables")).not.toContain("ctdb.");
    }),
  TEST_TIMEOUT_MS,
);
