/** Targets of an installation that cannot take it: nothing is changed, and the reason names the path. */
import { expect, test } from "bun:test";
import { namespacesPossible } from "../netns/namespaces.ts";
import { OverlayMachine } from "../netns/overlay_machine.ts";
import { compiledExecutables } from "../support/executables.ts";

const LIMIT_MS = 120_000;

const lines = (text: string): readonly string[] => text.trimEnd().split("\n");

const STORY = `
step full
mkdir /small
mount -t tmpfs -o size=150m none /small
mkdir -p /small/usr/sbin
echo stock >/small/usr/sbin/ctdbd
dd if=/dev/zero of=/small/filler bs=1M count=60 status=none
! /ctdb-appliance install --root /small
find /small ! -type d
step room again
rm /small/filler
/ctdb-appliance install --root /small
/ctdb-appliance install --root /small --dry-run
step full at an upgrade
# Another release: it has other bytes.
{ cat /ctdb-appliance; echo; } >/newer
chmod 755 /newer
before=$(find /small ! -type d -printf '%p %i %s\\n' | sort | md5sum)
! /newer install --root /small
[ "$before" = "$(find /small ! -type d -printf '%p %i %s\\n' | sort | md5sum)" ] && echo "as it was"
step read-only
mount -o remount,ro /small
! /newer install --root /small
! /ctdb-appliance uninstall --root /small
mount -o remount,rw /small
/ctdb-appliance uninstall --root /small
find /small ! -type d
step read-only and empty
mkdir /empty
mount -t tmpfs -o ro none /empty
for layout in debian upstream; do ! /ctdb-appliance install --root /empty --layout $layout; done
step no directory
! /ctdb-appliance install --root /no-such
touch /file
! /ctdb-appliance install --root /file
ls -d /no-such || true
`;

test.skipIf(!namespacesPossible())(
  "a full, a read-only and a missing target are named, and nothing is changed",
  async () => {
    const appliance = `${await compiledExecutables()}/ctdb-appliance`;
    const machine = await OverlayMachine.start("targets", { "/ctdb-appliance": appliance });
    try {
      const step = await machine.tell(STORY);
      const full = [
        'ctdb-appliance: Cannot write "/small/usr/libexec/ctdb/ctdb-appliance.ctdb-new": ENOSPC; nothing was changed',
      ];
      expect(lines(step("full"))).toEqual([...full, "/small/filler", "/small/usr/sbin/ctdbd"]);
      expect(step("room again")).toMatch(/ files installed, 1 replaced\nnothing to do\n$/);
      expect(lines(step("full at an upgrade"))).toEqual([...full, "as it was"]);
      expect(lines(step("read-only"))).toEqual([
        'ctdb-appliance: Cannot write "/small/usr/libexec/ctdb/ctdb-appliance.ctdb-new": EROFS; nothing was changed',
        'ctdb-appliance: Cannot copy to "/small/usr/sbin/ctdbd.ctdb-restored": EROFS',
        "/small/usr/sbin/ctdbd",
      ]);
      expect(lines(step("read-only and empty"))).toEqual([
        'ctdb-appliance: Cannot make the directory "/empty/etc": EROFS; nothing was changed',
        'ctdb-appliance: Cannot make the directory "/empty/usr": EROFS; nothing was changed',
      ]);
      expect(lines(step("no directory"))).toEqual([
        'ctdb-appliance: --root: there is no directory "/no-such"',
        'ctdb-appliance: Cannot look at "/file/": ENOTDIR',
        "ls: cannot access '/no-such': No such file or directory",
      ]);
    } finally {
      await machine.end();
    }
  },
  LIMIT_MS,
);
