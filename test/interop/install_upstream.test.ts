/**
 * An installation in the layout of Samba's own build, on a machine that has Debian's package besides: its daemon, tool and
 * scripts work with the paths below /usr/local, and with those only.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { namespacesPossible } from "../netns/namespaces.ts";
import { OverlayMachine } from "../netns/overlay_machine.ts";
import { compiledExecutables } from "../support/executables.ts";

setDefaultTimeout(120_000);

const possible = namespacesPossible();
const onLinux = test.skipIf(!possible);
let appliance = "";
let machine: OverlayMachine;
/** Their stories run beside the others: nodes wait most of the time. */
let linked: Promise<(step: string) => string>;
let moved: Promise<(step: string) => string>;

beforeAll(async () => {
  if (!possible) return;
  appliance = `${await compiledExecutables()}/ctdb-appliance`;
  machine = await OverlayMachine.start("upstream", { "/ctdb-appliance": appliance });
  linked = toldElsewhere("linked", LINKED);
  moved = toldElsewhere("moved", MOVED);
  // Their tests say it.
  for (const told of [linked, moved]) told.catch(() => {});
});
afterAll(async () => await machine?.end());

const FUNCTIONS = `
run=/usr/local/var/run/ctdb
healthy() { eventually ctdb nodestatus || { ctdb status; tail -n 30 /usr/local/var/log/log.ctdb; return 1; }; }
ended() { pid=$(cat $run/ctdbd.pid); ctdb shutdown; eventually gone $pid; }
configure() {
  mkdir -p /usr/local/etc/ctdb
  echo 127.0.0.1 >/usr/local/etc/ctdb/nodes
  printf '[logging]\\n location = file:/usr/local/var/log/log.ctdb\\n[cluster]\\n node address = 127.0.0.1\\n' >/usr/local/etc/ctdb/ctdb.conf
}
`;

const INSTALL = `
step install
/ctdb-appliance install --root / --layout upstream
step again
/ctdb-appliance install --root / --layout upstream --dry-run
step debian
! /ctdb-appliance install --root /
step unknown
! /ctdb-appliance install --root / --layout redhat
step manual
man -w ctdbd
man ctdb.conf | cat
`;

/** As Samba 4.25's ctdb-path prints them, configured and built without options. */
const PATHS = `/usr/local/etc/ctdb/ctdb.conf
/usr/local/var/run/ctdb/ctdbd.pid
/usr/local/var/run/ctdb/ctdbd.socket
/usr/local/share/ctdb
/usr/local/etc/ctdb
/usr/local/var/run/ctdb
/usr/local/var/run/ctdb
/usr/local/var/run/ctdb
/usr/local/var/lib/ctdb
/usr/local/var/lib/ctdb/scripts
`;
/** And its ctdb-config. */
const DEFAULTS = `	# location = file:/usr/local/var/log/log.ctdb
	# volatile database directory = /usr/local/var/lib/ctdb/volatile
	# persistent database directory = /usr/local/var/lib/ctdb/persistent
	# state database directory = /usr/local/var/lib/ctdb/state
`;

const NODE = `
ip link set lo up
ip link add public type veth peer name other
ip link set other up
ip link set public up
cd /usr/local/etc/ctdb

step paths
path=/usr/local/libexec/ctdb/ctdb-path
$path config; $path pidfile ctdbd; $path socket ctdbd
for name in datadir etcdir lockdir piddir socketdir vardir; do $path $name; done
$path vardir append scripts
step defaults
true >ctdb.conf
/usr/local/libexec/ctdb/ctdb-config dump | grep /usr

step configuration
configure
echo "10.9.9.1/24 public" >public_addresses
cat >events/legacy/99.third.script <<'END'
#!/bin/sh
. "$CTDB_BASE/functions"
[ "$1" != startup ] || echo "$CTDB_BASE $CTDB_VARDIR $CTDB_HELPER_BINDIR $(command -v ctdb) $(ctdb_get_pnn)" >/third-party
exit 0
END
chmod 755 events/legacy/99.third.script
ctdbd --check-config

step start
ctdbd
healthy
command -v ctdb ctdbd
readlink "/proc/$(cat $run/ctdbd.pid)/exe"
eventually sh -c 'ctdb ip | grep -q "10.9.9.1 0"'
ls $run
[ ! -e /run/ctdb ]
step events
eventually test -s /third-party
cat /third-party
ctdb scriptstatus startup | awk '{ print $1, $2 }'
ctdb event script list legacy
ip -brief address show public
step recovery
printf '[global]\\n clustering = yes\\n' >/etc/samba/smb.conf
generation=$(ctdb status | grep Generation)
ctdb attach kept.tdb persistent
ctdb pstore kept.tdb key value
ctdb recover
[ "$generation" != "$(ctdb status | grep Generation)" ]
ctdb pfetch kept.tdb key
ls /usr/local/var/lib/ctdb/persistent
step doctor
healthy
ctdb doctor
step natgw
! /usr/local/libexec/ctdb/ctdb_natgw status
step onnode
! ONNODE_SSH=false onnode -q 0 true
step logs
mv /usr/local/var/log/log.ctdb /usr/local/var/log/log.ctdb.1
postrotate=$(sed -n '/postrotate/,/endscript/p' /usr/local/share/ctdb/system/logrotate | sed '1d;$d')
sh -c "$postrotate"
eventually test -s /usr/local/var/log/log.ctdb
step unit
systemd-analyze verify --man=no /usr/local/lib/systemd/system/ctdb.service
grep -E '^(Exec(Start|Stop)|ConditionFile|RuntimeDirectory)' /usr/local/lib/systemd/system/ctdb.service
step shutdown
ended
ls $run /run/ctdb || true
`;

const UNINSTALL = `
step uninstall
# What the administrator and the daemon have made.
rm /usr/local/etc/ctdb/nodes /usr/local/etc/ctdb/public_addresses /usr/local/etc/ctdb/events/legacy/99.third.script
rm -rf /usr/local/var/lib/ctdb /usr/local/var/log/log.ctdb* $run/public_addresses_held
/ctdb-appliance uninstall --root /
rm /usr/local/etc/ctdb/ctdb.conf
rmdir /usr/local/etc/ctdb
step twice
/ctdb-appliance uninstall --root /
`;

onLinux(
  "it is installed below /usr/local, with a word about the other CTDB on the machine",
  async () => {
    const before = new Set(await machine.changes());
    const step = await machine.tell(FUNCTIONS + INSTALL);
    expect(step("install")).toContain('"/usr/sbin/ctdbd" is another CTDB: run one of them only');
    expect(step("again")).toMatch(/^note: [^\n]*\n$/);
    expect(step("debian")).toContain('"upstream" is installed here, expected "debian" or none');
    expect(step("unknown")).toContain('--layout: expected debian or upstream, got "redhat"');
    expect(step("manual")).toMatch(/^\/usr\/local\/(share\/)?man\/man1\/ctdbd.1.gz\n/);
    expect(step("manual")).toContain("Default: /usr/local/var/lib/ctdb/persistent.");
    const made = (await machine.changes()).filter((path) => !before.has(path));
    expect(made.filter((path) => !path.startsWith("/usr/local/"))).toEqual([]);
  },
);

onLinux("its node works with the paths of Samba's own build, and with no others", async () => {
  const step = await machine.tell(FUNCTIONS + NODE);
  expect(step("paths")).toBe(PATHS);
  expect(step("defaults")).toBe(DEFAULTS);
  expect(step("configuration")).toContain('"/usr/local/etc/ctdb" is valid');
  expect(step("start").trimEnd().split("\n")).toEqual([
    "/usr/local/bin/ctdb",
    "/usr/local/sbin/ctdbd",
    "/usr/local/sbin/ctdbd",
    ...["ctdbd.pid", "ctdbd.socket", "eventd.pid", "eventd.socket"],
    ...["public_addresses_held", "recd.socket"],
  ]);
  const [third = "", ...scripts] = step("events").split("\n");
  expect(third).toBe(
    "/usr/local/etc/ctdb /usr/local/var/lib/ctdb /usr/local/libexec/ctdb /usr/local/bin/ctdb 0",
  );
  const names = ["00.ctdb", "01.reclock", "05.system", "10.interface", "95.database", "99.third"];
  expect(scripts.slice(0, names.length)).toEqual(names.map((name) => `${name} OK`));
  expect(step("events")).toMatch(/^ {2}60.nfs$/m);
  expect(step("events")).toContain("10.9.9.1/24");
  expect(step("recovery")).toBe("value\nkept.tdb.0\n");
  expect(step("doctor")).toBe("");
  expect(step("natgw")).toContain('"/usr/local/etc/ctdb/natgw_nodes" not found');
  expect(step("onnode")).not.toContain("nodes file");
  expect(step("unit").trimEnd().split("\n")).toEqual([
    "ConditionFileNotEmpty=/usr/local/etc/ctdb/nodes",
    "ExecStart=/usr/local/sbin/ctdbd",
    "ExecStop=/usr/local/bin/ctdb shutdown",
    "ExecStopPost=-/usr/local/etc/ctdb/ctdb-crash-cleanup.sh",
  ]);
  expect(step("shutdown")).not.toContain("ctdbd.");
});

onLinux("uninstall leaves nothing of it", async () => {
  const step = await machine.tell(FUNCTIONS + UNINSTALL);
  expect(step("uninstall")).toMatch(
    /^[^\n]*"\/usr\/local\/etc\/ctdb\/ctdb.conf" was changed[^\n]*\n$/,
  );
  expect(step("twice")).toContain("nothing is installed below");
  const left = (await machine.changes()).filter((path) => path.startsWith("/usr/"));
  expect(left).toEqual([]);
});

const LINKED = `
mkdir /opt/local
cp -a /usr/local/share /opt/local/share
rm -rf /usr/local
ln -s ../opt/local /usr/local
ip link set lo up
/ctdb-appliance install --root / --layout upstream --links symlink
configure
step node
ctdbd
healthy
readlink "/proc/$(cat $run/ctdbd.pid)/exe"
ctdb -X nodestatus 0 | tail -n 1
ended
`;

const MOVED = `
serves() {
  mkdir -p /run/samba /share
  chmod 777 /share
  cat >/etc/samba/smb.conf <<END
[global]
	clustering = yes
	ctdbd socket = $1
	map to guest = bad user
	load printers = no
	disable spoolss = yes
[share]
	path = /share
	guest ok = yes
END
  smbd -D
  eventually smbclient -N //127.0.0.1/share -c ls
  kill "$(cat /run/samba/smbd.pid)"
}
ip link set lo up
mkdir -p /run/ctdb
step first
run=/run/ctdb
/ctdb-appliance install --root /
echo 127.0.0.1 >/etc/ctdb/nodes
printf '[logging]\n location = file:/var/log/log.ctdb\n[cluster]\n node address = 127.0.0.1\n' >/etc/ctdb/ctdb.conf
touch /etc/ctdb/public_addresses
ctdbd
healthy
ctdb attach kept.tdb persistent
ctdb pstore kept.tdb key value
ended
step move
/ctdb-appliance uninstall --root / && /ctdb-appliance install --root / --layout upstream
cd /etc/ctdb && cp -a nodes public_addresses ctdb.conf /usr/local/etc/ctdb
cp -a /var/lib/ctdb/persistent /var/lib/ctdb/state /usr/local/var/lib/ctdb
# The shell remembers where it found programs.
hash -r
step second
run=/usr/local/var/run/ctdb
ctdbd
healthy
ctdb pfetch kept.tdb key
ctdb getdbstatus kept.tdb | grep HEALTH
serves $run/ctdbd.socket
step two at once
pid=$(cat $run/ctdbd.pid)
# It lies in no layout, and works with Debian's paths.
! /ctdb-appliance ctdbd
tail -n 3 /var/log/log.ctdb
[ "$(cat $run/ctdbd.pid)" = $pid ]
ctdb nodestatus
ended
`;

async function toldElsewhere(name: string, story: string): Promise<(step: string) => string> {
  const other = await OverlayMachine.start(name, { "/ctdb-appliance": appliance });
  try {
    return await other.tell(FUNCTIONS + story);
  } finally {
    await other.end();
  }
}

onLinux("symbolic links, also of /usr/local itself, lead to the same paths", async () => {
  const step = await linked;
  expect(step("node")).toStartWith("/opt/local/libexec/ctdb/ctdb-appliance\n|0|127.0.0.1|0|0|");
});

onLinux(
  "a node moves from Debian's layout with its databases, smbd finds it, and it is the only one",
  async () => {
    const step = await moved;
    expect(step("move")).toContain(" files installed, 0 replaced");
    expect(step("second")).toStartWith("value\nHEALTH: OK\n");
    const [refused, ...log] = step("two at once").trimEnd().split("\n");
    expect(refused).toBe('Cannot listen on 127.0.0.1 port 4379: bind "127.0.0.1:4379": EADDRINUSE');
    expect(log.at(-1)).toMatch(/^pnn:0 127\.0\.0\.1 +OK /);
  },
);
