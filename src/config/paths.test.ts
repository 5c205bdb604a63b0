import { expect, test } from "bun:test";
import { resolvePaths } from "./paths.ts";

test("resolvePaths() gives Debian's paths for an installed executable", () => {
  const paths = resolvePaths({}, "/usr/sbin");
  expect(paths.ok && paths.value).toMatchObject({
    testMode: false,
    etcDirectory: "/etc/ctdb",
    dataDirectory: "/usr/share/ctdb",
    socket: "/run/ctdb/ctdbd.socket",
    pidFile: "/run/ctdb/ctdbd.pid",
    variableDirectory: "/var/lib/ctdb",
    helperDirectory: "/usr/libexec/ctdb",
  });
});

test("resolvePaths() gives the paths of Samba's own build for an executable that is installed there", () => {
  for (const directory of ["sbin", "bin", "libexec/ctdb"]) {
    expect(resolvePaths({}, `/usr/local/${directory}`)).toEqual({
      ok: true,
      value: {
        testMode: false,
        etcDirectory: "/usr/local/etc/ctdb",
        dataDirectory: "/usr/local/share/ctdb",
        socket: "/usr/local/var/run/ctdb/ctdbd.socket",
        recoverdSocket: "/usr/local/var/run/ctdb/recd.socket",
        eventSocket: "/usr/local/var/run/ctdb/eventd.socket",
        pidFile: "/usr/local/var/run/ctdb/ctdbd.pid",
        logDirectory: "/usr/local/var/log",
        variableDirectory: "/usr/local/var/lib/ctdb",
        runDirectory: "/usr/local/var/run/ctdb",
        lockDirectory: "/usr/local/var/run/ctdb",
        helperDirectory: "/usr/local/libexec/ctdb",
      },
    });
  }
  const unknown = resolvePaths({}, "/usr/local/libexec");
  expect(unknown.ok && [unknown.value.etcDirectory, unknown.value.helperDirectory]).toEqual([
    "/etc/ctdb",
    "/usr/local/libexec",
  ]);
});

test("resolvePaths() relocates everything in test mode", () => {
  const paths = resolvePaths(
    { CTDB_TEST_MODE: "yes", CTDB_BASE: "/t/node.1", CTDB_TEST_HELPER_BINDIR: "/h" },
    "/opt/bin",
  );
  expect(paths.ok && paths.value).toEqual({
    testMode: true,
    etcDirectory: "/t/node.1",
    dataDirectory: "/t/node.1/share",
    socket: "/t/node.1/run/ctdbd.socket",
    recoverdSocket: "/t/node.1/run/recd.socket",
    eventSocket: "/t/node.1/run/eventd.socket",
    pidFile: "/t/node.1/run/ctdbd.pid",
    logDirectory: "/t/node.1",
    variableDirectory: "/t/node.1/var",
    runDirectory: "/t/node.1/run",
    lockDirectory: "/t/node.1/run",
    helperDirectory: "/h",
  });
});

test("resolvePaths() lets CTDB_SOCKET name the socket", () => {
  const environment = { CTDB_TEST_MODE: "yes", CTDB_BASE: "/t", CTDB_SOCKET: "/x/y" };
  const paths = resolvePaths(environment, "/opt");
  expect(paths.ok && paths.value.socket).toBe("/x/y");
  expect(paths.ok && paths.value.helperDirectory).toBe("/opt");
});

test("resolvePaths() refuses test mode without a base and sockets that cannot be bound", () => {
  const without = resolvePaths({ CTDB_TEST_MODE: "yes" }, "/opt");
  expect(without.ok ? "" : without.error).toContain("expected CTDB_BASE to be set");
  const long = resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: `/${"x".repeat(100)}` }, "/opt");
  expect(long.ok ? "" : long.error).toContain("expected at most 107 bytes, got 118");
});
