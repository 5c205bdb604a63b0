import { expect, test } from "bun:test";
import {
  allNodesHardwareAddress,
  gratuitousArp,
  HARDWARE_ETHERNET,
  HARDWARE_INFINIBAND,
  neighbourAdvertisement,
} from "./announcement.ts";
import { internetChecksum, pseudoHeaderSum } from "./checksum.ts";

const ADDRESS = Uint8Array.of(10, 0, 0, 1);
const ADDRESS6 = new Uint8Array(16).fill(0xfd);
const ETHERNET = { type: HARDWARE_ETHERNET, bytes: Uint8Array.of(2, 1, 2, 3, 4, 5) };
const INFINIBAND = { type: HARDWARE_INFINIBAND, bytes: new Uint8Array(20).fill(9) };
const ALL_NODES = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

test("gratuitousArp() speaks of the address as sender and as target", () => {
  const head = [0, 1, 8, 0, 6, 4, 0];
  const owner = [2, 1, 2, 3, 4, 5, 10, 0, 0, 1];
  const nobody = [0, 0, 0, 0, 0, 0, 10, 0, 0, 1];
  expect([...gratuitousArp("request", ADDRESS, ETHERNET)]).toEqual([
    ...head,
    1,
    ...owner,
    ...nobody,
  ]);
  expect([...gratuitousArp("reply", ADDRESS, ETHERNET)]).toEqual([...head, 2, ...owner, ...owner]);
  expect(gratuitousArp("reply", ADDRESS, INFINIBAND).length).toBe(8 + 2 * 24);
});

test("neighbourAdvertisement() has a checksum that holds and the hardware address at its end", () => {
  for (const hardware of [ETHERNET, INFINIBAND]) {
    const packet = neighbourAdvertisement(ADDRESS6, hardware);
    const message = packet.subarray(40);
    expect(
      internetChecksum(message, pseudoHeaderSum(ADDRESS6, ALL_NODES, 58, message.length)),
    ).toBe(0);
    expect(message.length % 8).toBe(0);
    expect(message[25]).toBe((message.length - 24) / 8);
    expect(packet.subarray(-hardware.bytes.length)).toEqual(hardware.bytes);
  }
});

test("allNodesHardwareAddress() is the link's group of all IPv6 nodes", () => {
  expect([...(allNodesHardwareAddress(ETHERNET) ?? [])]).toEqual([0x33, 0x33, 0, 0, 0, 1]);
  const broadcast = Uint8Array.from([
    0,
    255,
    255,
    255,
    255,
    18,
    0x40,
    0x1b,
    ...Array(8).fill(0),
    255,
    255,
    255,
    255,
  ]);
  const group = allNodesHardwareAddress({ type: HARDWARE_INFINIBAND, bytes: broadcast });
  expect([...(group ?? []).slice(0, 8)]).toEqual([0, 255, 255, 255, 255, 18, 0x60, 0x1b]);
  expect([...(group ?? []).slice(16)]).toEqual([0, 0, 0, 1]);
  expect(allNodesHardwareAddress({ type: 772, bytes: new Uint8Array(6) })).toBeUndefined();
});
