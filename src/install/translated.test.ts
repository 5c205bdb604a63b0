import { expect, test } from "bun:test";
import { LAYOUTS } from "../config/layouts.ts";
import { translated, translatedUnit } from "./translated.ts";

const CASES: readonly (readonly [string, string])[] = [
  ["/etc/ctdb/nodes", "/usr/local/etc/ctdb/nodes"],
  ["BASE:-/etc/ctdb}", "BASE:-/usr/local/etc/ctdb}"],
  ["a:=/var/log/ctdb/log.ctdb}", "a:=/usr/local/var/log/log.ctdb}"],
  ["\\fB/run/ctdb/ctdbd.socket\\fP", "\\fB/usr/local/var/run/ctdb/ctdbd.socket\\fP"],
  ["!/usr/libexec/ctdb/x /usr/bin/ctdb", "!/usr/local/libexec/ctdb/x /usr/local/bin/ctdb"],
  ["ExecStart=/usr/sbin/ctdbd\n", "ExecStart=/usr/local/sbin/ctdbd\n"],
  ["/var/lib/ctdb-appliance/x", "/usr/local/var/lib/ctdb-appliance/x"],
];
const SAME = [
  "/var/lib/ctdb-backups",
  "/var/lib/ctdb\\-backups",
  "/mnt/etc/ctdb",
  "/usr/local/etc/ctdb",
  "/var/run/ctdb",
  "/etc/ctdbx",
  "/usr/sbin/rpc.statd",
  "/usr/bin/ctdbd",
  "/etc/hosts",
];

test("translated() makes whole paths of Debian's those of the layout", () => {
  for (const [text, elsewhere] of CASES) {
    expect(translated(text, LAYOUTS.upstream)).toBe(elsewhere);
    expect(translated(text, LAYOUTS.debian)).toBe(text);
  }
});

test("translated() leaves paths that only look like one", () => {
  for (const text of SAME) expect(translated(text, LAYOUTS.upstream)).toBe(text);
});

test("translatedUnit() leaves out a directory below /run where none is used", () => {
  const unit = "Restart=no\nRuntimeDirectory=ctdb\nKillMode=process\n";
  expect(translatedUnit(unit, LAYOUTS.upstream)).toBe("Restart=no\nKillMode=process\n");
  expect(translatedUnit(unit, LAYOUTS.debian)).toBe(unit);
});
