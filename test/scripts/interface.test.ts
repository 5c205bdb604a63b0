/** 10.interface: what it asks of the kernel, in which order, and what it makes of the answers. */
import { expect, test } from "bun:test";
import { failedWith, ScriptBench, SILENT, saying } from "./script_bench.ts";

const ADDRESSES = "10.1.0.1/24 eth1\n# a comment\n10.1.0.2/24  eth1,eth2\n\nfd00::1/64 eth2";

/** A kernel that has these addresses ("10.1.0.1/24 eth1"), and changes them. */
function interfaceBench(...addresses: readonly string[]): ScriptBench {
  const bench = new ScriptBench();
  bench.write("base/public_addresses", ADDRESSES);
  bench.write("proc/sys/net/ipv4/conf/all/promote_secondaries", "0\n");
  const list = bench.path("kernel");
  bench.write("kernel", addresses.map((line) => `${line}\n`).join(""));
  bench.standIn(
    "ip",
    [
      'case "$*" in',
      `"-brief addr show to "*" dev "*) grep "^$5/.* $7$" "${list}" | awk '{ print $2, "UP", $1 }' ;;`,
      `"-brief addr show to "*) grep "^$5/" "${list}" | awk '{ print $2, "UP", $1 }' ;;`,
      `"addr show to "*) grep "^$4/" "${list}" ;;`,
      `"addr add "*" brd + dev "*) echo "$3 $7" >>"${list}" ;;`,
      `"addr add "*) echo "$3 $5" >>"${list}" ;;`,
      `"addr del "*) sed -i -e "\\|^$3 $5$|d" "${list}" ;;`,
      '"-br link show "*) echo "$4 UP" ;;',
      "esac",
    ].join("\n"),
  );
  bench.standIn("iptables", `echo "iptables $*" >>"${bench.path("calls/order")}"`);
  bench.standIn("ethtool", 'echo "Link detected: yes"');
  bench.standIn(
    "ctdb",
    'case "$*" in "-X ifaces") printf "|Name|\\n|eth1|1|\\n|eth3|1|\\n" ;; esac',
  );
  return bench;
}

test("10.interface without public addresses does nothing", async () => {
  using bench = new ScriptBench();
  expect(await bench.event("10.interface", "init")).toEqual(
    saying("No public addresses file found"),
  );
  expect(await bench.event("10.interface", "takeip", "eth1", "10.1.0.1", "24")).toEqual(SILENT);
  expect(bench.calls("ip")).toEqual([]);
});

test("10.interface init and shutdown take all addresses of the file away, the last without a newline too", async () => {
  for (const event of ["init", "shutdown"]) {
    using bench = interfaceBench("10.1.0.2/24 eth2", "fd00::1/64 eth2", "10.9.9.9/24 eth2");
    expect(await bench.event("10.interface", event)).toEqual(
      saying(
        "Removing public address 10.1.0.2/24 from device eth2",
        "Removing public address fd00::1/64 from device eth2",
      ),
    );
    expect(bench.read("kernel")).toBe("10.9.9.9/24 eth2\n");
  }
});

test("10.interface takes nothing that ip complains of for an answer", async () => {
  using bench = interfaceBench();
  bench.standIn("ip", 'case "$*" in -br*) echo "No device" >&2 ;; esac');
  expect(await bench.event("10.interface", "init")).toEqual(SILENT);
  expect(
    await bench.event("10.interface", "updateip", "__none__", "eth1", "10.1.0.3", "24"),
  ).toEqual(saying("WARNING: Unable to determine interface for IP 10.1.0.3"));
});

test("10.interface init refuses a kernel that would lose other addresses", async () => {
  using bench = interfaceBench();
  await bench.run("rm", "-r", bench.path("proc/sys"));
  const { code, output } = await bench.event("10.interface", "init");
  expect(output).toContain("promote_secondaries");
  expect(code).toBe(1);
});

test("10.interface takeip brings the address up and lets it be reached", async () => {
  using bench = interfaceBench();
  expect(await bench.event("10.interface", "takeip", "eth1", "10.1.0.1", "24")).toEqual(SILENT);
  expect(bench.calls("ip").slice(0, 2)).toEqual([
    "link set eth1 up",
    "addr add 10.1.0.1/24 brd + dev eth1",
  ]);
  expect(bench.calls("iptables")).toEqual(["-D INPUT -i eth1 -d 10.1.0.1 -j DROP"]);
  expect(bench.read("state/my-public-ip-addresses")).toBe("10.1.0.1\n");
});

test("10.interface with an alternative name of an interface makes rules for the kernel's name", async () => {
  using bench = interfaceBench();
  bench.standIn("ip", 'case "$*" in "-br link show lan0") echo "eth1@if7 UP" ;; esac');
  expect(await bench.event("10.interface", "takeip", "lan0", "10.1.0.1", "24")).toEqual(SILENT);
  expect(bench.calls("ip")).toContain("addr add 10.1.0.1/24 brd + dev lan0");
  expect(bench.calls("iptables")).toEqual(["-D INPUT -i eth1 -d 10.1.0.1 -j DROP"]);
});

test("10.interface takeip of an IPv6 address waits until nobody else has it", async () => {
  using bench = interfaceBench();
  expect(await bench.event("10.interface", "takeip", "eth2", "fd00::1", "64")).toEqual(SILENT);
  expect(bench.calls("ip")).toContain("addr add fd00::1/64 dev eth2");
  expect(bench.calls("ip6tables")).toEqual(["-D INPUT -i eth2 -d fd00::1 -j DROP"]);
});

test("10.interface takeip of an IPv6 address that somebody else has fails and takes it back", async () => {
  using bench = interfaceBench();
  bench.standIn("ip", 'case "$*" in "addr show to "*) echo "inet6 fd00::1/64 dadfailed" ;; esac');
  expect(await bench.event("10.interface", "takeip", "eth2", "fd00::1", "64")).toEqual(
    failedWith("Failed to add fd00::1/64 on dev eth2"),
  );
  expect(bench.calls("ip")).toContain("addr del fd00::1/64 dev eth2");
  expect(bench.read("state/my-public-ip-addresses")).toBe("");
});

test("10.interface takeip that fails does not leave the address in the list", async () => {
  using bench = interfaceBench();
  bench.standIn("ip", 'case "$*" in "addr add "*) echo "no such thing"; exit 2 ;; esac');
  expect(await bench.event("10.interface", "takeip", "eth1", "10.1.0.1", "24")).toEqual(
    failedWith("no such thing", "Failed to add 10.1.0.1/24 on dev eth1"),
  );
  expect(bench.read("state/my-public-ip-addresses")).toBe("");
});

test("10.interface events want all their arguments", async () => {
  using bench = interfaceBench();
  expect(await bench.event("10.interface", "takeip", "eth1")).toEqual(
    failedWith("ERROR: must supply interface, IP and maskbits"),
  );
  expect(await bench.event("10.interface", "updateip", "eth1", "10.1.0.1", "24")).toEqual(
    failedWith("ERROR: must supply old interface, new interface, IP and maskbits"),
  );
});

test("10.interface releaseip blocks, kills, removes and unblocks, in this order", async () => {
  using bench = interfaceBench("10.1.0.1/24 eth1");
  bench.write("state/my-public-ip-addresses", "10.1.0.1\n10.1.0.2\n");
  const order = bench.path("calls/order");
  bench.standIn("ss", `[ -e "${bench.path("killed")}" ] || echo "0 0 10.1.0.1:445 10.1.0.9:1"`);
  bench.standIn("ctdb_killtcp", `echo killtcp >>"${order}"; cat >"${bench.path("killed")}"`);
  expect(await bench.event("10.interface", "releaseip", "eth1", "10.1.0.1", "24")).toEqual(
    saying("Killed 1/1 TCP connections to released IP 10.1.0.1"),
  );
  const rule = "INPUT -i eth1 -d 10.1.0.1 -j DROP";
  expect(bench.calls("order")).toEqual([
    `iptables -D ${rule}`,
    `iptables -I ${rule}`,
    "killtcp",
    `iptables -D ${rule}`,
  ]);
  expect(bench.read("kernel")).toBe("");
  expect(bench.read("state/my-public-ip-addresses")).toBe("10.1.0.2\n");
});

test("10.interface releaseip finds the address where it is", async () => {
  using bench = interfaceBench("10.1.0.1/16 eth2");
  expect(await bench.event("10.interface", "releaseip", "eth1", "10.1.0.1", "24")).toEqual(
    saying(
      "WARNING: Public IP 10.1.0.1 hosted on interface eth2 but VNN says eth1",
      "WARNING: Public IP 10.1.0.1 has 16 bit netmask but VNN says 24",
    ),
  );
  expect(bench.read("kernel")).toBe("");
});

test("10.interface releaseip of an address that is not here succeeds", async () => {
  using bench = interfaceBench();
  expect(await bench.event("10.interface", "releaseip", "eth1", "10.1.0.1", "24")).toEqual(
    saying("WARNING: Unable to determine interface for IP 10.1.0.1"),
  );
  expect(bench.calls("iptables")).toEqual([]);
});

test("10.interface releaseip that cannot remove the address fails, and lets it be reached", async () => {
  using bench = interfaceBench("10.1.0.1/24 eth1");
  bench.standIn(
    "ip",
    'case "$*" in "-brief "*) echo "eth1 UP 10.1.0.1/24" ;; "addr del "*) exit 2 ;; esac',
  );
  expect(await bench.event("10.interface", "releaseip", "eth1", "10.1.0.1", "24")).toEqual(
    failedWith("Failed to del 10.1.0.1/24 on dev eth1"),
  );
  expect(bench.calls("iptables").at(-1)).toBe("-D INPUT -i eth1 -d 10.1.0.1 -j DROP");
});

test("10.interface updateip moves the address and tells the network and the clients", async () => {
  using bench = interfaceBench("10.1.0.2/24 eth1");
  bench.standIn("ss", 'echo "0 0 10.1.0.2:445 10.1.0.9:1"');
  expect(await bench.event("10.interface", "updateip", "eth1", "eth2", "10.1.0.2", "24")).toEqual(
    saying(
      "Tickle TCP connection 10.1.0.2:445 10.1.0.9:1",
      "Tickle TCP connection 10.1.0.9:1 10.1.0.2:445",
    ),
  );
  expect(bench.read("kernel")).toBe("10.1.0.2/24 eth2\n");
  expect(bench.calls("ctdb")).toEqual(["gratarp 10.1.0.2 eth2", "tickle"]);
  expect(bench.calls("iptables").at(-1)).toBe("-D INPUT -i eth1 -d 10.1.0.2 -j DROP");
});

test("10.interface updateip to where the address is does nothing", async () => {
  using bench = interfaceBench("10.1.0.2/24 eth2");
  expect(await bench.event("10.interface", "updateip", "eth1", "eth2", "10.1.0.2", "24")).toEqual(
    saying(
      "WARNING: Public IP 10.1.0.2 hosted on interface eth2 but VNN says eth1",
      'Redundant "updateip" - 10.1.0.2 already on eth2',
    ),
  );
  expect(bench.calls("ctdb")).toEqual([]);
});

test("10.interface updateip of an address that is nowhere brings it up", async () => {
  using bench = interfaceBench();
  await bench.event("10.interface", "updateip", "eth1", "eth2", "10.1.0.2", "24");
  expect(bench.read("kernel")).toBe("10.1.0.2/24 eth2\n");
  expect(bench.calls("iptables")).toEqual([]);
});

test("10.interface ipreallocated writes down which addresses are here", async () => {
  using bench = interfaceBench();
  bench.standIn(
    "ctdb",
    'case "$*" in pnn) echo 1 ;; "-X ip") printf "|Public IP|Node|\\n|10.1.0.1|1|\\n|10.1.0.2|0|\\n" ;; esac',
  );
  expect(await bench.event("10.interface", "ipreallocated")).toEqual(SILENT);
  expect(bench.read("state/my-public-ip-addresses")).toBe("10.1.0.1\n");
});

test("10.interface monitor reports every link, also those of ctdbd that the file does not have", async () => {
  using bench = interfaceBench();
  bench.standIn("ethtool", '[ "$1" = eth2 ] || echo "Link detected: yes"');
  expect(await bench.event("10.interface", "monitor")).toEqual(
    failedWith("ERROR: No link on the public network interface eth2"),
  );
  expect(bench.calls("ctdb")).toEqual([
    "-X ifaces",
    "setifacelink eth1 up",
    "setifacelink eth2 down",
    "setifacelink eth3 up",
  ]);
  // It was tried to bring it up.
  expect(bench.calls("ip")).toContain("link set eth2 up");
});

test("10.interface monitor succeeds with some links where that is enough, never with none", async () => {
  using bench = interfaceBench();
  bench.options("CTDB_PARTIALLY_ONLINE_INTERFACES=yes\n");
  bench.standIn("ethtool", '[ "$1" = eth2 ] || echo "Link detected: yes"');
  expect((await bench.event("10.interface", "monitor")).code).toBe(0);
  bench.standIn("ethtool", "");
  expect((await bench.event("10.interface", "monitor")).code).toBe(1);
  expect((await bench.event("10.interface", "startup")).code).toBe(1);
});

test("10.interface monitor says that an interface is missing", async () => {
  using bench = interfaceBench();
  bench.standIn("ip", 'case "$*" in *eth3) exit 1 ;; "-br link show "*) echo "$4 UP" ;; esac');
  expect(await bench.event("10.interface", "monitor")).toEqual(
    failedWith("ERROR: Monitored interface eth3 does not exist"),
  );
});

test("10.interface monitor looks into bonds, also under VLANs", async () => {
  using bench = interfaceBench();
  bench.standIn(
    "ip",
    'case "$*" in "-br link show eth1") echo "eth1@bond0 UP" ;; *) echo "$4 UP" ;; esac',
  );
  const bond = (mode: string, active: string, ...states: readonly string[]) =>
    bench.write(
      "proc/net/bonding/bond0",
      [`Bonding Mode: ${mode}`, `Currently Active Slave: ${active}`]
        .concat(states.map((state) => `MII Status: ${state}`))
        .join("\n"),
    );
  const monitor = () => bench.event("10.interface", "monitor");
  bond("active-backup", "None", "up", "up");
  expect(await monitor()).toEqual(failedWith("ERROR: No active slaves for bond device bond0"));
  bond("active-backup", "a", "down", "up");
  expect(await monitor()).toEqual(failedWith("ERROR: public network interface bond0 is down"));
  bond("IEEE 802.3ad Dynamic link aggregation", "a", "up", "down");
  expect(await monitor()).toEqual(
    failedWith("ERROR: No active slaves for 802.ad bond device bond0"),
  );
  bond("IEEE 802.3ad Dynamic link aggregation", "a", "up", "down", "up");
  expect(await monitor()).toEqual(SILENT);
  expect(bench.calls("ethtool")).not.toContain("eth1");
});
