/**
 * A node on a system of the C library and busybox: what scripts lack there is in the executable, and what they cannot
 * do without they name (docs/event_scripts.md, "On a minimal image").
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { basename } from "node:path";
import { compiledExecutables } from "../support/executables.ts";
import { until, when } from "../support/until.ts";
import { MinimalImage, minimalImagePossible } from "./minimal_image.ts";
import { Namespaces } from "./namespaces.ts";
import { Network } from "./network.ts";
import { Ends, reversed } from "./rawnet/ends.ts";

const possible = minimalImagePossible();
const TIMEOUT_MS = 60_000;
const WAIT_MS = 30_000;
const NODE = "10.79.0.1";
const PUBLIC = "10.79.0.101";
const PUBLIC_IPV6 = "fd79::101";
const CLIENT = "10.79.0.200";
const CLIENT_IPV6 = "fd79::200";
const LOG = "/var/log/ctdb/log.ctdb";
const SCRIPTS = "/usr/share/ctdb/events/legacy";

/** As sites have them: written for a full system. */
const SITE_SCRIPT = `#!/bin/sh
[ -n "$CTDB_BASE" ] || CTDB_BASE=$(d=$(dirname "$0") && cd -P "$d" && cd ../.. && pwd)
. "\${CTDB_BASE}/functions"
service_name="site"
service_reconfigure () { echo "pnn $(ctdb_get_pnn) has settled" >>/run/site; }
load_script_options
ctdb_setup_state_dir "service" "$service_name"
note () {
	(
		flock --timeout 5 9 || die "lock"
		echo "$*" >>/run/site
	) 9>"\${script_state_dir}/lock"
	ctdb_service_set_reconfigure
}
ctdb_check_args "$@"
case "$1" in
startup) ctdb_counter_init ;;
takeip | releaseip) note "$1 $3 on $2: $(ip_maskbits_iface "$3")" ;;
ipreallocated) if ctdb_service_needs_reconfigure; then ctdb_service_reconfigure; fi ;;
monitor)
	[ -n "$(ss -tlnH 'sport = :4379')" ] || die "ctdbd does not listen"
	flock -n "\${script_state_dir}/lock" -c "true" || die "locked"
	;;
esac
exit 0
`;

const NATGW = [
  "CTDB_NATGW_NODES=/etc/ctdb/natgw_nodes",
  "CTDB_NATGW_PRIVATE_NETWORK=10.79.0.0/24",
  "CTDB_NATGW_PUBLIC_IP=10.79.9.1/24",
  "CTDB_NATGW_PUBLIC_IFACE=eth0",
];

let network: Network;
let image: MinimalImage;
let client: Namespaces;

beforeAll(async () => {
  if (!possible) return;
  network = await Network.start();
  image = await MinimalImage.start(await compiledExecutables());
  client = await Namespaces.start("client");
  await network.connect(image.machine, "eth0", `${NODE}/24`);
  await network.connect(client, "eth0", `${CLIENT}/24`);
  await client.must(["ip", "addr", "add", `${CLIENT_IPV6}/64`, "dev", "eth0", "nodad"]);
  image.write("/etc/ctdb/nodes", `${NODE}\n`);
  image.write("/etc/ctdb/public_addresses", `${PUBLIC}/24 eth0\n${PUBLIC_IPV6}/64 eth0\n`);
  image.write("/etc/ctdb/ctdb.tunables", "MonitorInterval=1\nRerecoveryTimeout=1\n");
  image.write(
    "/etc/ctdb/ctdb.conf",
    `[logging]\nlocation = file:${LOG}\n[legacy]\nrealtime scheduling = false\n`,
  );
  image.write("/etc/ctdb/events/legacy/80.site.script", SITE_SCRIPT, 0o755);
  await ctdb("event", "script", "enable", "legacy", "95.database");
  await image.must("mkdir", "-p", "/run/ctdb");
  await image.must("ctdbd");
  await shownUntil("the node is healthy", ["ctdb", "status"], `${NODE}        OK (THIS NODE)`);
}, TIMEOUT_MS);

afterAll(async () => {
  for (const part of [client, image, network]) await part?.end();
});

async function ctdb(...args: readonly string[]): Promise<string> {
  return await image.must("ctdb", ...args);
}

/** As the event daemon runs it, apart from what the daemon's own runs leave; options are in the environment. */
function runScript(name: string, args: readonly string[], options: readonly string[] = []) {
  const own = [
    "CTDB_BASE=/etc/ctdb",
    "CTDB_SCRIPT_VARDIR=/run/scripts",
    `CTDB_LOGGING=file:${LOG}`,
  ];
  const words = [...own, ...options, `${SCRIPTS}/${name}.script`, ...args];
  return image.shell(`mkdir -p /run/scripts\nexec env ${words.join(" ")}`);
}

async function shownUntil(what: string, argv: readonly string[], text: string): Promise<void> {
  let shown = "";
  await until(
    what,
    WAIT_MS,
    async () => {
      const { stdout, stderr } = await image.run(argv);
      shown = stdout + stderr;
      return when(shown.includes(text));
    },
    () => `${shown}\n${image.read(LOG)}`,
  );
}

async function established(port: number): Promise<readonly string[]> {
  const lines = await image.must("/usr/libexec/ctdb/applets/ss", "-tnH", "state", "established");
  const connections = lines.split("\n").map((line) => line.split(" ").slice(2).join(" "));
  return connections.filter((connection) => connection.includes(`:${port} `));
}

test.skipIf(!possible)("the executable needs the C library only", () => {
  const names = image.libraries.map((path) => basename(path).replace(/[.-].*/, ""));
  expect([...names].sort()).toEqual(["ld", "libc", "libdl", "libm", "libpthread"]);
});

test.skipIf(!possible)(
  "a node of a minimal image takes addresses, and ends the connections of those it releases",
  async () => {
    await shownUntil("it has the address", ["ip", "addr", "show", "eth0"], `${PUBLIC}/24`);
    await shownUntil("and the other", ["ctdb", "ip"], `${PUBLIC_IPV6} 0`);
    const sides: Ends[] = [];
    for (const [address, port] of [
      [PUBLIC, 445],
      [PUBLIC_IPV6, 445],
      [PUBLIC, 2049],
      [NODE, 5000],
    ] as const) {
      sides.push(await Ends.serve(image.machine, address, port));
      sides.push(await Ends.connect(client, address, port, 3));
    }
    // The monitor event finds them.
    const tickle = new RegExp(`"?${CLIENT.replaceAll(".", "\\.")}`);
    await until("ctdbd knows the connections", WAIT_MS, async () =>
      when(tickle.test(await ctdb("gettickles", PUBLIC))),
    );
    await shownUntil("those of IPv6 too", ["ctdb", "gettickles", PUBLIC_IPV6], CLIENT_IPV6);

    await ctdb("disable");
    await until("the addresses are released", WAIT_MS, async () => {
      const shown = await image.must("ip", "addr", "show", "eth0");
      return when(!shown.includes(PUBLIC) && !shown.includes(PUBLIC_IPV6));
    });
    expect([await established(445), await established(2049)]).toEqual([[], []]);
    const ended = await Promise.all(sides.map(async (side) => (await side.counts()).ended));
    // Clients of SMB hear of it from the node that has the address next.
    expect(ended).toEqual([3, 0, 3, 0, 3, 3, 0, 0]);
    expect(image.read(LOG)).toContain(`Killed 6/6 TCP connections to released IP ${PUBLIC}`);

    const [first = "", ...others] = await established(5000);
    const killtcp = "/usr/libexec/ctdb/ctdb_killtcp";
    await image.must(killtcp, "eth0", ...reversed(first).split(" "));
    expect(await established(5000)).toEqual(others);

    await ctdb("enable");
    await shownUntil("the address is back", ["ip", "addr", "show", "eth0"], `${PUBLIC}/24`);
    await shownUntil("all scripts are well", ["ctdb", "scriptstatus"], "80.site              OK");
    const status = await ctdb("scriptstatus");
    for (const name of ["00.ctdb", "05.system", "10.interface", "95.database"]) {
      expect(status).toMatch(new RegExp(`${name} +OK `));
    }
    expect(status).not.toContain("OUTPUT");
    const notes = image.read("/run/site");
    expect(notes).toContain(`takeip ${PUBLIC} on eth0: 24 eth0\n`);
    expect(notes).toContain(`releaseip ${PUBLIC} on eth0: \n`);
    expect(notes).toContain("pnn 0 has settled\n");
    expect(image.read(LOG).match(/iptables is not installed/g)?.length).toBe(1);
    expect(image.read(LOG)).not.toMatch(/not found|applet|[Uu]sage:|can't/);
  },
  TIMEOUT_MS,
);

/** Script, event and its arguments, lines of script.options, the program that is missed. */
const MISSING: readonly (readonly [string, string, readonly string[], string])[] = [
  ["11.natgw", "setup", NATGW, "iptables"],
  ["15.network", "monitor", ["CTDB_MONITOR_HOSTS=dns:example.org"], "host"],
  ["20.multipathd", "monitor", ["CTDB_MONITOR_MPDEVICES=mpatha"], "multipath"],
  ["31.clamd", "startup", ["CTDB_CLAMD_SOCKET=/run/clamd.socket"], "clamav"],
  ["40.vsftpd", "startup", [], "vsftpd"],
  ["41.httpd", "startup", [], "apache2"],
  ["46.update-keytabs", "recovered", [], "net"],
  ["47.samba-dcerpcd", "startup", [], "samba-dcerpcd"],
  ["48.netbios", "startup", [], "nmbd"],
  ["49.winbind", "startup", [], "winbindd"],
  ["49.winbind", "monitor", [], "wbinfo"],
  ["50.samba", "startup", [], "smbd"],
  ["50.samba", "monitor", [], "testparm"],
  ["60.nfs", "startup", [], "nfs"],
  ["60.nfs", "monitor", ["CTDB_NFS_SKIP_SHARE_CHECK=yes"], "rpcinfo"],
  ["70.iscsi", "monitor", ["CTDB_START_ISCSI_SCRIPTS=/etc/iscsi"], "tgtd"],
];

test.skipIf(!possible)(
  "the other scripts name the program that they miss",
  async () => {
    image.write("/etc/ctdb/natgw_nodes", `${NODE}\n`);
    for (const [script, event, options, program] of MISSING) {
      const { code, output } = await runScript(script, [event], options);
      const named = new RegExp(`needs the program ${program},|program "${program}" is here`);
      expect([script, event, output]).toEqual([script, event, expect.stringMatching(named)]);
      expect([script, event, code !== 0]).toEqual([script, event, true]);
      expect(output).not.toMatch(/not found|can't execute|[Uu]sage:/);
    }
  },
  TIMEOUT_MS,
);

test.skipIf(!possible)(
  "scripts that miss nothing do here what they do elsewhere",
  async () => {
    const route = "CTDB_PER_IP_ROUTING";
    const options = [
      ...NATGW,
      "CTDB_LVS_NODES=/etc/ctdb/natgw_nodes",
      "CTDB_CLAMD_SOCKET=/run/ctdb/ctdbd.socket",
      "CTDB_MONITOR_HOSTS=ping:127.0.0.1",
      "CTDB_MONITOR_MEMORY_USAGE=0:1",
      "CTDB_PERSISTENT_DB_BACKUP_DIR=/var/backups/ctdb",
      `${route}_CONF=__auto_link_local__`,
      `${route}_RULE_PREF=100`,
      `${route}_TABLE_ID_LOW=1000`,
      `${route}_TABLE_ID_HIGH=1100`,
    ];
    image.write("/etc/ctdb/natgw_nodes", `${NODE}\n`);
    const event = (name: string, ...args: readonly string[]) => runScript(name, args, options);
    const silent = { code: 0, output: "" };
    expect(await event("01.reclock", "init")).toEqual(silent);
    image.write("/etc/ctdb/static-routes", "eth0 10.80.0.0/24 10.79.0.200\n");
    expect(await event("11.routing", "ipreallocated")).toEqual(silent);
    expect(await image.must("ip", "route", "show")).toContain("10.80.0.0/24 via 10.79.0.200");
    await event("13.per_ip_routing", "takeip", "eth0", PUBLIC, "24");
    expect(await image.must("ip", "rule", "show")).toContain(`from ${PUBLIC} lookup`);
    expect(await image.must("ip", "route", "show", "table", "1000")).toContain("10.79.0.0/24");
    expect(await event("13.per_ip_routing", "releaseip", "eth0", PUBLIC, "24")).toEqual(silent);
    expect(await image.must("ip", "rule", "show")).not.toContain(PUBLIC);
    expect(await event("15.network", "monitor")).toEqual(silent);
    expect(await event("31.clamd", "monitor")).toEqual(silent);
    const lvs = await event("91.lvs", "monitor");
    expect(lvs).toEqual({ code: 0, output: "LVS configured but ipvsadm not found\n" });
    const { code, output } = await event("05.system", "monitor");
    expect([code, output]).toEqual([1, expect.stringMatching(/MemTotal:[\s\S]*ctdbd/)]);
    expect((await event("95.database", "monitor")).output).toContain("Created backup tarball");
    expect(await image.must("ctdb", "natgw", "leader")).toBe(`0 ${NODE}\n`);
  },
  TIMEOUT_MS,
);

test.skipIf(!possible)(
  "95.database finds what is damaged, and nothing in databases with mutexes",
  async () => {
    await ctdb("attach", "volatile.tdb");
    await ctdb("attach", "kept.tdb", "persistent");
    await ctdb("pstore", "kept.tdb", "key", "value");
    await ctdb("shutdown");
    await until("ctdbd has ended", WAIT_MS, async () =>
      when((await image.run(["ctdb", "pnn"])).code !== 0),
    );
    const silent = { code: 0, output: "" };
    expect(await runScript("95.database", ["init"])).toEqual(silent);
    const volatile = "/var/lib/ctdb/volatile/volatile.tdb.0";
    expect(image.read(volatile)).not.toBe("");
    image.write(volatile, "no database");
    const aside = await runScript("95.database", ["init"]);
    expect([aside.code, aside.output]).toEqual([0, expect.stringContaining("is corrupted")]);
    expect(image.read(volatile)).toBe("");
    image.write("/var/lib/ctdb/persistent/kept.tdb.0", "no database");
    const kept = await runScript("95.database", ["init"]);
    expect([kept.code, kept.output]).toEqual([1, expect.stringContaining("CTDB will not start")]);
  },
  TIMEOUT_MS,
);
