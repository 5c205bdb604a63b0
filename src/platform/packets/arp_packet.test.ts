import { expect, test } from "bun:test";
import { gratuitousArp, HARDWARE_ETHERNET } from "./announcement.ts";
import { arpProbe, hardwareAddressText, readArpSender } from "./arp_packet.ts";

const ADDRESS = Uint8Array.of(10, 0, 0, 1);
const ETHERNET = { type: HARDWARE_ETHERNET, bytes: Uint8Array.of(2, 1, 2, 3, 4, 0xfe) };

test("arpProbe() asks for the address and claims none", () => {
  const asker = [2, 1, 2, 3, 4, 0xfe, 0, 0, 0, 0];
  const nobody = [0, 0, 0, 0, 0, 0, 10, 0, 0, 1];
  expect([...arpProbe(ADDRESS, ETHERNET)]).toEqual([
    ...[0, 1, 8, 0, 6, 4, 0, 1],
    ...asker,
    ...nobody,
  ]);
});

test("readArpSender() has who claims what, also of a packet that the link has padded", () => {
  for (const operation of ["request", "reply"] as const) {
    const packet = gratuitousArp(operation, ADDRESS, ETHERNET);
    const padded = new Uint8Array(46);
    padded.set(packet);
    for (const bytes of [packet, padded]) {
      expect(readArpSender(bytes, 6)).toEqual({ address: ADDRESS, hardware: ETHERNET.bytes });
    }
  }
  expect(hardwareAddressText(ETHERNET.bytes)).toBe("02:01:02:03:04:fe");
});

test("readArpSender() leaves out probes and what is no proper packet", () => {
  expect(readArpSender(arpProbe(ADDRESS, ETHERNET), 6)).toBeUndefined();
  const packet = gratuitousArp("reply", ADDRESS, ETHERNET);
  for (let length = 0; length < packet.length; length += 1) {
    expect(readArpSender(packet.subarray(0, length), 6)).toBeUndefined();
  }
  // Of another protocol, other lengths, or an operation that is neither question nor answer.
  for (const [at, value] of [
    [2, 0x86],
    [4, 0],
    [4, 20],
    [4, 255],
    [5, 16],
    [6, 1],
    [7, 0],
    [7, 3],
  ] as const) {
    const wrong = packet.slice();
    wrong[at] = value;
    expect(readArpSender(wrong, 6)).toBeUndefined();
  }
});
