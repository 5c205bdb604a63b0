/** What happens to a machine when packages come and go, as scripts that run in a copy of its files. */

const FUNCTIONS = `
PATH=/usr/sbin:/usr/bin:/sbin:/bin
install() { dpkg --force-confold -i "$1" </dev/null; }
stopped() { pid=$(cat /run/ctdb/ctdbd.pid); ctdb shutdown; eventually gone $pid; }
# Ours of that parent.
child() { for pid in $(cat /proc/$1/task/*/children); do [ "$(cat /proc/$pid/comm)" != "$2" ] || echo $pid; done; }
ip link set lo up
mkdir -p /run/ctdb
rm -rf /var/lib/ctdb/*/* /var/log/ctdb/*
`;

const CONFIGURATION = `
mkdir -p /run/ctdb
echo 127.0.0.1 >/etc/ctdb/nodes
printf '[logging]\\n location = file:/var/log/ctdb/log.ctdb\\n log level = NOTICE\\n[cluster]\\n node address = 127.0.0.1\\n' >/etc/ctdb/ctdb.conf
`;

/** Debian's package, changed; ours; Debian's again; ours again, and removed for good. */
export const OVER_STOCK = `${FUNCTIONS}
step files
# As Debian 13 has it: the unit is below /usr/lib, which is the same directory.
dpkg -L ctdb | sort -u >/stock.list
mkdir -p /stock/DEBIAN
tar -C / --no-recursion --transform 's,^lib/,usr/lib/,' -cf - $(grep -vxE '/\\.|/lib(/systemd(/system)?)?' /stock.list | sed 's,^/,,') | tar -C /stock -xf -
for name in conffiles md5sums postinst postrm preinst shlibs; do cp /var/lib/dpkg/info/ctdb.$name /stock/DEBIAN/$name; done
dpkg -s ctdb | sed '/^Status:/d; /^Conffiles:/,/^ .* [0-9a-f]*$/d; /^ \\/etc\\//d' >/stock/DEBIAN/control
dpkg-deb -Znone -b /stock /stock.deb
# What an administrator has done.
echo "# mine" >>/etc/ctdb/functions
echo "CTDB_MINE=yes" >>/etc/ctdb/script.options
printf '#!/bin/sh\\nexit 0\\n' >/etc/ctdb/events/legacy/99.mine.script
chmod 755 /etc/ctdb/events/legacy/99.mine.script
rm /etc/ctdb/events/legacy/05.system.script
${CONFIGURATION}
step refused
for directory in /var/lib /usr/local/var/lib; do
  mkdir -p $directory/ctdb-appliance; true >$directory/ctdb-appliance/manifest.json
  ! install /new.deb
  dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' ctdb
  rm -r $directory/ctdb-appliance
done
step install
install /new.deb
for layout in debian upstream; do ! /usr/libexec/ctdb/ctdb-appliance install --root / --layout $layout; done
step state
dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' ctdb ctdb-appliance
dpkg --audit
dpkg --verify ctdb-appliance
tail -n 1 /etc/ctdb/script.options
tail -n 1 /var/lib/ctdb-appliance/replaced/etc/ctdb/functions
ls /etc/ctdb/events/legacy
stat -c '%h' /usr/sbin/ctdbd
[ /usr/sbin/ctdbd -ef /usr/libexec/ctdb/ctdb_recovery_helper ] && echo "one file"
stat -c '%a %n' /run/ctdb /var/lib/ctdb/persistent
step list
dpkg -L ctdb-appliance | sort -u >/ours.list
# The same file under both names of merged directories.
usr_merged() { sed 's,^/lib/,/usr/lib/,' "$1" | sort -u; }
usr_merged /stock.list >/stock.merged; usr_merged /ours.list >/ours.merged
comm -23 /stock.merged /ours.merged
step ours
ctdbd; eventually ctdb nodestatus
ctdb version
ctdb attach kept.tdb persistent; ctdb pstore kept.tdb key value-of-ours
readlink "/proc/$(cat /run/ctdb/ctdbd.pid)/exe"
ctdb scriptstatus
stopped
step back to stock
dpkg -r ctdb-appliance
tail -n 1 /etc/ctdb/functions
install /stock.deb
dpkg --verify ctdb
ctdbd; eventually ctdb nodestatus
ctdb version
ctdb pfetch kept.tdb key
stopped
step ours purged under stock
dpkg -P ctdb-appliance
cat /etc/ctdb/nodes
ls /var/lib/ctdb/persistent /etc/ctdb/functions /etc/init.d/ctdb
step ours again
install /new.deb
step purge of the replaced
dpkg --purge ctdb
ls /var/lib/ctdb/persistent
cat /etc/ctdb/nodes
dpkg --verify ctdb-appliance
step remove
dpkg -r ctdb-appliance
ls /usr/sbin/ctdbd /usr/libexec/ctdb || true
tail -n 1 /etc/ctdb/script.options
ls /var/lib/ctdb/persistent
step purge
dpkg -P ctdb-appliance
find /etc/ctdb /var/lib/ctdb /var/lib/ctdb-appliance /var/log/ctdb /etc/init.d/ctdb /etc/logrotate.d/ctdb || true
dpkg --audit
`;

/** An older release of ours runs, is changed, and is upgraded while it runs. */
export const UPGRADE = `${FUNCTIONS}
step older
dpkg --purge ctdb
install /old.deb
${CONFIGURATION}
echo "# mine" >>/etc/ctdb/script.options
ctdbd; eventually ctdb nodestatus
daemon=$(cat /run/ctdb/ctdbd.pid)
# An old one's helper was run before, and its recovery daemon is there.
eventually ctdb runstate RUNNING
/usr/libexec/ctdb/ctdb_recovery_helper --version
step upgrade
install /new.deb
dpkg-query -W -f '\${Version}\\n' ctdb-appliance
tail -n 1 /etc/ctdb/script.options
/usr/libexec/ctdb/ctdb_recovery_helper --version
[ "$(cat /run/ctdb/ctdbd.pid)" = "$daemon" ] && echo "it runs on"
step recover
ctdb recover
ctdb ipreallocate
ctdb nodestatus
grep 'was replaced' /var/log/ctdb/log.ctdb
step children
recoverd=$(child $daemon ctdb-recoverd)
kill -9 $recoverd
another() { now=$(child $daemon ctdb-recoverd); [ -n "$now" ] && [ "$now" != $recoverd ]; }
eventually another
now=$(child $daemon ctdb-recoverd)
[ /proc/$now/exe -ef /proc/$daemon/exe ] && echo "of the running image"
eventually ctdb nodestatus
ctdb recover
step restart
stopped
ctdbd; eventually ctdb nodestatus
[ "/proc/$(cat /run/ctdb/ctdbd.pid)/exe" -ef /usr/sbin/ctdbd ] && echo "the new one"
stopped
`;
