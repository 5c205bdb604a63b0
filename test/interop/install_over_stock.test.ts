/**
 * Debian's package, used, then ours over it, then Debian's again: on an overlay of this machine's own files, in
 * namespaces, so that nothing of it stays.
 */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { OverlayMachine } from "../netns/overlay_machine.ts";
import { compiledExecutables } from "../support/executables.ts";

const LIMIT_MS = 300_000;

const STORY = `
listing() {
  find /etc/ctdb /usr/sbin/ctdbd /usr/bin/ctdb /usr/bin/ltdbtool /usr/bin/ping_pong /usr/libexec/ctdb /usr/share/ctdb /lib/systemd/system/ctdb.service \\
    -printf '%p %y %m %u %l ' -type f -exec md5sum {} \\; -o -printf '\\n' | sort
}
healthy() {
  for i in $(seq 300); do ctdb nodestatus >/dev/null 2>&1 && return 0; sleep 0.2; done
  ctdb status; tail -n 20 /var/log/ctdb/log.ctdb; return 1
}
ended() {
  for i in $(seq 300); do [ -S /run/ctdb/ctdbd.socket ] || return 0; ctdb ping >/dev/null 2>&1 || return 0; sleep 0.2; done
  return 1
}
serves() {
  smbd -D
  for i in $(seq 100); do
    smbclient -N //127.0.0.1/share -c "$1" 2>/dev/null && break; sleep 0.2
  done
  kill "$(cat /run/samba/smbd.pid)"
}
ip link set lo up
ip link add public type veth peer name other
ip link set other up
ip link set public up
mkdir -p /run/ctdb /run/samba /share
chmod 777 /share
cat >/etc/samba/smb.conf <<'EOF'
[global]
	clustering = yes
	ctdbd socket = /run/ctdb/ctdbd.socket
	map to guest = bad user
	load printers = no
	disable spoolss = yes
	disable netbios = yes
[share]
	path = /share
	read only = no
	guest ok = yes
EOF
export NFS_HOSTNAME=cluster
echo "10.9.9.1/24 public" >/etc/ctdb/public_addresses
rm -rf /var/lib/ctdb/*/* /var/log/ctdb/*
echo 127.0.0.1 >/etc/ctdb/nodes
printf '[logging]\\n location = file:/var/log/ctdb/log.ctdb\\n[cluster]\\n node address = 127.0.0.1\\n' >/etc/ctdb/ctdb.conf
cat >/etc/ctdb/events/legacy/99.third.script <<'EOF'
#!/bin/sh
. "$CTDB_BASE/functions"
[ "$1" = startup ] && ctdb_get_pnn >>/var/log/third-party
exit 0
EOF
chmod 755 /etc/ctdb/events/legacy/99.third.script
echo "# mine" >>/etc/ctdb/notify.sh
listing >/before

step stock
ctdbd; healthy
ctdb attach kept.tdb persistent; ctdb pstore kept.tdb key value-of-stock
ctdb version
serves "mkdir made-with-stock"
for i in $(seq 100); do ctdb ip | grep -q "10.9.9.1 0" && break; sleep 0.2; done
CTDB_BASE=/etc/ctdb /etc/ctdb/statd-callout add-client 10.9.9.8
ctdb attach ctdb.tdb persistent
CTDB_BASE=/etc/ctdb /etc/ctdb/statd-callout update
ctdb shutdown; ended

step install
/ctdb-appliance install --root /
/ctdb-appliance install --root / --dry-run

step ours
ctdbd; healthy
ctdb version
ctdb pfetch kept.tdb key
ctdb pstore kept.tdb key value-of-ours
readlink -f "/proc/$(cat /run/ctdb/ctdbd.pid)/exe"
serves "ls"
/usr/libexec/ctdb/statd_callout_helper startup
ctdb catdb ctdb.tdb | grep statd-state
ctdb -X getdbmap | grep -F ctdb_statd_callout.tdb && exit 1
ctdb shutdown; ended

step uninstall
/ctdb-appliance uninstall --root /
listing >/after
diff /before /after

step stock again
ctdbd; healthy
ctdb version
ctdb pfetch kept.tdb key
ctdb shutdown; ended
wc -l </var/log/third-party
`;

test(
  "over Debian's package its databases, configuration and scripts serve on, and uninstall brings Debian's back",
  async () => {
    const appliance = join(await compiledExecutables(), "ctdb-appliance");
    expect(existsSync("/usr/sbin/ctdbd")).toBe(true);
    const machine = await OverlayMachine.start("stock", { "/ctdb-appliance": appliance });
    try {
      const step = await machine.tell(STORY);
      expect(step("stock")).toContain("4.17");
      expect(step("install")).toContain('"/etc/ctdb/notify.sh" was changed here');
      expect(step("install")).toEndWith("nothing to do\n");
      const ours = step("ours");
      expect(ours).toContain("ctdb-appliance");
      expect(ours).toContain("value-of-stock");
      expect(ours).toContain("/usr/sbin/ctdbd");
      expect(ours).toContain("made-with-stock");
      expect(ours).toContain("statd-state@10.9.9.1@10.9.9.8");
      expect(step("uninstall")).toBe("");
      const again = step("stock again");
      expect(again).toContain("4.17");
      expect(again).toContain("value-of-ours");
      expect(again.trimEnd().split("\n").at(-1)).toBe("3");
    } finally {
      await machine.end();
    }
  },
  LIMIT_MS,
);
