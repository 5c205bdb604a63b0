import { expect, test } from "bun:test";
import { jenkinsHash } from "./jenkins_hash.ts";

const text = (s: string) => new TextEncoder().encode(s);

test("jenkinsHash() gives the database ids that Samba uses", () => {
  expect(jenkinsHash(text("locking.tdb\0"))).toBe(0x7a19d84d);
  expect(jenkinsHash(text("brlock.tdb\0"))).toBe(0x4e66c2b2);
  expect(jenkinsHash(text("g_lock.tdb\0"))).toBe(0x4d2a432b);
  expect(jenkinsHash(text("smbXsrv_session_global.tdb\0"))).toBe(0x6b06a26d);
  expect(jenkinsHash(text("ctdb_statd_callout.tdb\0"))).toBe(0x74156850);
});

test("jenkinsHash() gives the header hashes of a TDB", () => {
  expect(jenkinsHash(text("TDB file\n\0"))).toBe(0xd7b694e5);
  expect(jenkinsHash(new Uint8Array([0x99, 0x19, 0x01, 0x26]))).toBe(0x76b9440e);
});

test("jenkinsHash() of nothing is the initial value", () => {
  expect(jenkinsHash(new Uint8Array(0))).toBe(0xdeadbeef);
});
