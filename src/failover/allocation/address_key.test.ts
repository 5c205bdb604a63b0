import { expect, test } from "bun:test";
import { parseAddress, type SockAddr } from "../../wire/structs/socket_address.ts";
import { addressDistance, addressKey, compareKeys } from "./address_key.ts";

function key(text: string) {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return addressKey(parsed.value);
}

test("addressKey() gives four words, the last for IPv4", () => {
  expect(key("10.1.2.3")).toEqual([0, 0, 0, 0x0a010203]);
  expect(key("ffff:2:3:4:5:6:7:8")).toEqual([0xffff0002, 0x30004, 0x50006, 0x70008]);
  const none: SockAddr = { family: "none", address: "", port: 0, scope: 0 };
  expect(addressKey(none)).toEqual([0, 0, 0, 0]);
});

test("compareKeys() counts words without a sign", () => {
  expect(compareKeys(key("ffff::"), key("1::"))).toBeGreaterThan(0);
  expect(compareKeys(key("200.0.0.1"), key("10.0.0.1"))).toBeGreaterThan(0);
  expect(compareKeys(key("1::"), key("200.0.0.1"))).toBeGreaterThan(0);
  expect(compareKeys(key("10.0.0.1"), key("10.0.0.1"))).toBe(0);
});

test("addressDistance() is the common prefix for IPv4", () => {
  expect(addressDistance(key("10.0.0.1"), key("10.0.0.1"))).toBe(128);
  expect(addressDistance(key("10.0.0.0"), key("10.0.0.1"))).toBe(127);
  expect(addressDistance(key("10.0.0.1"), key("10.0.1.1"))).toBe(119);
  expect(addressDistance(key("10.0.0.1"), key("200.0.0.1"))).toBe(96);
});

test("addressDistance() counts on in the words behind one that differs", () => {
  expect(addressDistance(key("fd00::1"), key("fe00::1"))).toBe(6 + 96);
  expect(addressDistance(key("fd00:0:0:1::1"), key("fd00:0:0:2::1"))).toBe(32 + 30 + 64);
});
