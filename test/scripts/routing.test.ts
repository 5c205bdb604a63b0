/** 11.routing and 13.per_ip_routing. */
import { expect, test } from "bun:test";
import { failedWith, ScriptBench, SILENT, saying } from "./script_bench.ts";

test("11.routing adds the routes of the file, those of an interface when an address moves", async () => {
  using bench = new ScriptBench();
  expect(await bench.event("11.routing", "ipreallocated")).toEqual(SILENT);
  bench.write(
    "base/static-routes",
    "# site\neth1 10.3.0.0/24 10.1.0.254\n\neth2 10.4.0.0/24 10.2.0.254",
  );
  bench.standIn("ip", 'echo "RTNETLINK answers: File exists" >&2; exit 2');
  expect(await bench.event("11.routing", "ipreallocated")).toEqual(SILENT);
  const [first, second] = [
    "route add 10.3.0.0/24 via 10.1.0.254 dev eth1",
    "route add 10.4.0.0/24 via 10.2.0.254 dev eth2",
  ];
  expect(bench.calls("ip")).toEqual([first, second]);
  bench.forgetCalls("ip");
  expect(await bench.event("11.routing", "updateip", "eth0", "eth2", "10.2.0.1", "24")).toEqual(
    SILENT,
  );
  expect(bench.calls("ip")).toEqual([second]);
});

const OPTIONS = [
  "CTDB_PER_IP_ROUTING_CONF=$CTDB_BASE/policy_routing",
  "CTDB_PER_IP_ROUTING_RULE_PREF=100",
  "CTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000",
  "CTDB_PER_IP_ROUTING_TABLE_ID_HIGH=1001",
];
const TABLES = "etc/iproute2/rt_tables";

function routingBench(...more: readonly string[]): ScriptBench {
  const bench = new ScriptBench();
  bench.options(`${[...OPTIONS, ...more].join("\n")}\n`);
  bench.write(
    "base/policy_routing",
    "10.1.0.1 10.1.0.0/24\n10.1.0.1 0.0.0.0/0 10.1.0.254\n10.1.0.2 10.1.0.0/24\n10.1.0.3 10.1.0.0/24\n",
  );
  return bench;
}

const SCRIPT = "13.per_ip_routing";

test("13.per_ip_routing without a configuration does nothing", async () => {
  using bench = new ScriptBench();
  expect(await bench.event(SCRIPT, "takeip", "eth1", "10.1.0.1", "24")).toEqual(SILENT);
});

test("13.per_ip_routing names what is wrong with its options", async () => {
  const complaint = async (line: string) => {
    using bench = routingBench(line);
    const { code, output } = await bench.event(SCRIPT, "startup");
    expect(code).toBe(1);
    return output;
  };
  expect(await complaint("CTDB_PER_IP_ROUTING_RULE_PREF=")).toContain("RULE_PREF not configured");
  expect(await complaint("CTDB_PER_IP_ROUTING_TABLE_ID_LOW=2000")).toContain("LOW[2000]");
  expect(await complaint("CTDB_PER_IP_ROUTING_TABLE_ID_LOW=many")).toContain("LOW[many]");
  expect(await complaint("CTDB_PER_IP_ROUTING_TABLE_ID_LOW=250")).toContain(
    "must not include 253-255",
  );
  expect(await complaint("CTDB_PER_IP_ROUTING_CONF=/no/file")).toContain("/no/file file not found");
});

test("13.per_ip_routing takeip makes a table, its routes and a rule", async () => {
  using bench = routingBench();
  bench.write(TABLES, "254 main\n# a comment\n1000\tother");
  expect(await bench.event(SCRIPT, "takeip", "eth1", "10.1.0.1", "24")).toEqual(SILENT);
  expect(bench.read(TABLES)).toBe("254 main\n# a comment\n1000\tother\n1001\tctdb.10.1.0.1\n");
  expect(bench.calls("ip").slice(2)).toEqual([
    "rule add from 10.1.0.1 pref 100 table ctdb.10.1.0.1",
    "route add 10.1.0.0/24 dev eth1 table ctdb.10.1.0.1",
    "route add 0.0.0.0/0 via 10.1.0.254 dev eth1 table ctdb.10.1.0.1",
  ]);
  expect(bench.calls("ctdb")).toEqual(["gratarp 10.1.0.1 eth1"]);
  // The same again finds its name.
  await bench.event(SCRIPT, "takeip", "eth1", "10.1.0.1", "24");
  expect(bench.read(TABLES).match(/10\.1\.0\.1/g)).toHaveLength(1);
});

test("13.per_ip_routing takeip fails when no table is left", async () => {
  using bench = routingBench();
  await bench.event(SCRIPT, "takeip", "eth1", "10.1.0.1", "24");
  await bench.event(SCRIPT, "takeip", "eth1", "10.1.0.2", "24");
  expect(await bench.event(SCRIPT, "takeip", "eth1", "10.1.0.3", "24")).toEqual(
    failedWith("add_routing_for_ip: out of table ids in range 1000 - 1001"),
  );
});

test("13.per_ip_routing takes IPv4 only", async () => {
  using bench = routingBench();
  for (const address of ["fd00::1", "10.1.0", "10.1.0.256"]) {
    const { code, output } = await bench.event(SCRIPT, "takeip", "eth1", address, "24");
    expect(output).toContain(`not an ipv4 address skipping IP:${address}`);
    expect(code).toBe(0);
  }
  expect(bench.calls("ip")).toEqual([]);
});

test("13.per_ip_routing finds link-local networks by itself", async () => {
  using bench = routingBench("CTDB_PER_IP_ROUTING_CONF=__auto_link_local__");
  bench.write("base/public_addresses", "10.1.77.1/20 eth1\n10.1.77.2/24 eth1");
  await bench.event(SCRIPT, "takeip", "eth1", "10.1.77.1", "20");
  expect(bench.calls("ip").at(-1)).toBe("route add 10.1.64.0/20 dev eth1 table ctdb.10.1.77.1");
});

test("13.per_ip_routing releaseip removes, and tells what it could not", async () => {
  using bench = routingBench();
  expect(await bench.event(SCRIPT, "releaseip", "eth1", "10.1.0.1", "24")).toEqual(SILENT);
  const command = "rule del from 10.1.0.1 pref 100 table ctdb.10.1.0.1";
  expect(bench.calls("ip")).toEqual([command, "route flush table ctdb.10.1.0.1"]);
  bench.standIn("ip", "echo gone; exit 2");
  expect(await bench.event(SCRIPT, "releaseip", "eth1", "10.1.0.1", "24")).toEqual(
    saying(
      "WARNING: Failed to delete policy routing rule",
      `  Command "ip ${command}" failed:`,
      "  gone",
      "  gone",
    ),
  );
});

test("13.per_ip_routing updateip moves the routes and tickles", async () => {
  using bench = routingBench();
  bench.standIn("ss", 'echo "0 0 10.1.0.1:445 10.1.0.9:1"');
  await bench.event(SCRIPT, "updateip", "eth1", "eth2", "10.1.0.1", "24");
  expect(bench.calls("ip")).toContain("route add 10.1.0.0/24 dev eth2 table ctdb.10.1.0.1");
  expect(bench.calls("ctdb")).toEqual(["gratarp 10.1.0.1 eth2", "tickle"]);
});

/** ctdbd has 10.1.0.1 here; the kernel has a rule for it and one for an address that is gone. */
function halfRouted(bench: ScriptBench): void {
  bench.standIn(
    "ctdb",
    'echo "|Public IP|Node|ActiveInterface|"; echo "|10.1.0.1|0|eth1|"; echo "|10.1.0.2|1||"',
  );
  bench.standIn(
    "ip",
    [
      'case "$*" in "rule show")',
      'printf "0:\\tfrom all lookup local\\n"',
      'printf "100:\\tfrom 10.1.0.1 lookup ctdb.10.1.0.1\\n"',
      'printf "100:\\tfrom 10.1.0.9 lookup ctdb.10.1.0.9\\n"',
      'printf "32766:\\tfrom all lookup main\\n" ;;',
      "esac",
    ].join("\n"),
  );
}

test("13.per_ip_routing ipreallocated adds what is missing and removes what is not hosted", async () => {
  using bench = routingBench();
  halfRouted(bench);
  expect(await bench.event(SCRIPT, "ipreallocated")).toEqual(
    saying("Removing ip rule/routes for unhosted public address 10.1.0.9"),
  );
  expect(bench.calls("ip")).toContain("route add 10.1.0.0/24 dev eth1 table ctdb.10.1.0.1");
  expect(bench.calls("ip")).toContain("rule del from 10.1.0.9 pref 100 table ctdb.10.1.0.9");
});

test("13.per_ip_routing reconfigure makes all routes again", async () => {
  using bench = routingBench();
  halfRouted(bench);
  expect(await bench.event(SCRIPT, "reconfigure")).toEqual(
    saying(
      'Reconfiguring service "per_ip_routing"...',
      "Removing ip rule/routes for unhosted public address 10.1.0.9",
    ),
  );
  expect(bench.calls("ip")).toContain("rule add from 10.1.0.1 pref 100 table ctdb.10.1.0.1");
});

test("13.per_ip_routing startup and shutdown remove all of ours and nothing else", async () => {
  using bench = routingBench();
  halfRouted(bench);
  bench.write("proc/sys/net/ipv4/conf/all/arp_filter", "0\n");
  bench.write(TABLES, "# ours follow\n254 main\n1000 ctdb.10.1.0.1\n7 ctdb.10.1.0.8\n1001 x\n");
  const removed = saying(
    "Removing ip rule for public address 10.1.0.1 for routing table ctdb.10.1.0.1",
    "Removing ip rule for public address 10.1.0.9 for routing table ctdb.10.1.0.9",
  );
  expect(await bench.event(SCRIPT, "startup")).toEqual(removed);
  expect(bench.read("proc/sys/net/ipv4/conf/all/arp_filter")).toBe("1\n");
  expect(await bench.event(SCRIPT, "shutdown")).toEqual(removed);
  expect(bench.read(TABLES)).toBe("# ours follow\n254 main\n");
});
