import { expect, test } from "bun:test";
import { problemText } from "../config/problems.ts";
import { parseEtcdSettings } from "./etcd_settings.ts";

test("parseEtcdSettings() has the original's defaults and names", () => {
  expect(parseEtcdSettings("", "etcd")).toEqual({
    ok: true,
    value: {
      settings: {
        hosts: ["127.0.0.1"],
        port: 2379,
        protocol: "http",
        lockTtlSec: 9,
        refreshSec: 2,
        locksDirectory: "_ctdb",
        readTimeoutSec: 5,
      },
      warnings: [],
    },
  });
  const parsed = parseEtcdSettings(
    "# etcd\nhost = a, b\nlock_refresh = 3\nprotocol=https\nca_cert = /ca\nusername = u\n" +
      "password = p = q\nallow_redirect = True\nhots = c\n",
    "etcd",
  );
  if (!parsed.ok) throw new Error(parsed.error.map(problemText).join());
  expect(parsed.value.settings).toMatchObject({
    hosts: ["a", "b"],
    refreshSec: 3,
    protocol: "https",
    authority: "/ca",
    password: "p = q",
  });
  expect(parsed.value.warnings.map(problemText)).toEqual([
    '"etcd": line 8: allow_redirect has no meaning here',
    '"etcd": line 9: unknown option "hots"',
  ]);
});

test("parseEtcdSettings() tells all that is wrong", () => {
  const parsed = parseEtcdSettings(
    "port = 99999\nlock_ttl = 4\nrefresh = 4\nprotocol = ftp\nhost = a,,b\nnothing\nusername = u\nkey=/k",
    "etcd",
  );
  expect(parsed.ok ? [] : parsed.error.map(problemText)).toEqual([
    '"etcd": line 1: port: expected a number from 1 to 65535, got "99999"',
    '"etcd": line 6: expected "name = value", got "nothing"',
    '"etcd": protocol: expected http or https, got "ftp"',
    '"etcd": refresh: expected less than lock_ttl (4), got "4"',
    '"etcd": host: expected hosts, got "a,,b"',
    '"etcd": username: expected password, too',
    '"etcd": key: expected cert, too',
  ]);
});
