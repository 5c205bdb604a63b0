/**
 * Real packets of stock ctdb 4.17 (test/golden/wire, taken by test/support/capture_packets.ts): each is
 * decoded down to its structs and encoded again, and must give the same bytes. The files hold packets
 * one after another. In stock_*.bin a reply stands behind its request, which tells what it answers; replies
 * of other files are compared as packets only. `.events` files are of the event daemon.
 */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { headerOf, operationTarget } from "../../test/fuzz/packet_samples.ts";
import { err } from "../base/result.ts";
import { PacketFramer } from "../transport/framer.ts";
import { type Codec, decodeExact, encode, u32Codec } from "./codec.ts";
import { SRVID } from "./constants.ts";
import { CONTROLS, controlName } from "./controls.ts";
import {
  decodeEventReply,
  decodeEventRequest,
  encodeEventReply,
  encodeEventRequest,
} from "./event_protocol.ts";
import { OPERATIONS, type PacketView } from "./packet.ts";
import { readReplyControl, readReqControl, readReqMessage } from "./packets.ts";
import * as s from "./structs.ts";

const FOLDER = join(import.meta.dir, "../../test/golden/wire");
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".bin"));
const eventFiles = readdirSync(FOLDER).filter((name) => name.endsWith(".events"));

/** The structs that messages carry, by the upper word of the srvid. */
const MESSAGES = new Map<number, Codec<unknown>>(
  (
    [
      [SRVID.RECOVERY_PREFIX, s.recBuffer],
      [SRVID.BANNING, u32Codec],
      [SRVID.ELECTION, s.electionMessage],
      [SRVID.LEADER, u32Codec],
      [SRVID.RECD_UPDATE_IP, s.publicIp],
      [SRVID.MEM_DUMP, s.srvidMessage],
      [SRVID.TAKEOVER_RUN, s.srvidMessage],
      [SRVID.REBALANCE_NODE, u32Codec],
      [SRVID.DISABLE_TAKEOVER_RUNS, s.disableMessage],
      [SRVID.DISABLE_RECOVERIES, s.disableMessage],
      [SRVID.DISABLE_IP_CHECK, u32Codec],
    ] as const
  ).map(([srvid, codec]) => [srvid.hi, codec as Codec<unknown>]),
);

function packetsOf(name: string): PacketView[] {
  const bytes = readFileSync(join(FOLDER, name));
  const framer = new PacketFramer(name.endsWith(".events") ? "event" : "client");
  framer.push(bytes);
  const packets: PacketView[] = [];
  for (let packet = framer.next(); packet !== undefined; packet = framer.next()) {
    packets.push(packet.copy());
  }
  expect(framer.error).toBeUndefined();
  expect(framer.pendingBytes).toBe(0);
  return packets;
}

/** A packet of another operation. */
const none = err("");

/** Files in which a reply stands behind its request. */
const ORDERED = /^stock_/;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Where the two differ in other bytes than those that are noise. */
function expectSame(what: string, ours: Uint8Array, theirs: Uint8Array): void {
  expect({ what, bytes: hex(ours) }).toEqual({ what, bytes: hex(theirs) });
}

function expectRoundTrip(what: string, codec: Codec<unknown>, bytes: Uint8Array): void {
  const value = decodeExact(codec, bytes);
  if (!value.ok) throw new Error(`${what}: ${value.error}: ${hex(bytes)}`);
  expectSame(what, encode(codec, value.value), withoutNoise(codec, bytes));
}

/** The C structs hold memory addresses at these places. */
function withoutNoise(codec: Codec<unknown>, bytes: Uint8Array): Uint8Array {
  if (codec !== (s.dbStatistics as unknown)) return bytes;
  const quiet = bytes.slice();
  for (let i = 0; i < s.MAX_HOT_KEYS; i++) quiet.fill(0, 224 + 24 * i + 8, 224 + 24 * i + 16);
  return quiet;
}

test("there are golden packets of every operation and of most controls", () => {
  expect(files.length).toBeGreaterThan(0);
  expect(eventFiles.length).toBeGreaterThan(0);
  const operations = new Set<number>();
  const opcodes = new Set<number>();
  for (const packet of files.flatMap(packetsOf)) {
    operations.add(packet.operation);
    const control =
      packet.operation === OPERATIONS.REQ_CONTROL ? readReqControl(packet) : undefined;
    if (control?.ok) opcodes.add(control.value.opcode);
  }
  const missing = Object.entries(OPERATIONS).filter(([, number]) => !operations.has(number));
  // Stock 4.17 sends errors only about databases that a peer does not know.
  expect(missing.map(([name]) => name)).toEqual(["REPLY_ERROR"]);
  expect(opcodes.size).toBeGreaterThan(80);
});

for (const name of files) {
  test(`every packet of ${name} is read and built again to the same bytes`, () => {
    for (const packet of packetsOf(name)) {
      const target = operationTarget(packet.operation);
      const rebuilt = target?.rebuild(packet);
      if (!rebuilt?.ok) throw new Error(`${target?.name}: ${rebuilt?.error}`);
      expect(headerOf(rebuilt.value)).toEqual(headerOf(packet));
      // Clients may leave padding away, and stock's REPLY_CALL carries a word too many: all zeros.
      const ours = rebuilt.value.bytes();
      const theirs = packet.bytes();
      const length = Math.min(ours.length, theirs.length);
      expectSame(target?.name ?? "", ours.subarray(4, length), theirs.subarray(4, length));
      expect(ours.length - theirs.length).toBeWithin(-8, 8);
      expect(theirs.subarray(length).every((byte) => byte === 0)).toBe(true);
    }
  });

  test(`every struct of ${name} is decoded and encoded again to the same bytes`, () => {
    const opcodes = new Map<number, number>();
    for (const packet of packetsOf(name)) {
      const control = packet.operation === OPERATIONS.REQ_CONTROL ? readReqControl(packet) : none;
      if (control.ok) {
        const { opcode, data } = control.value;
        opcodes.set(packet.reqid, opcode);
        const known = controlName(opcode);
        if (known === undefined) throw new Error(`control ${opcode} is not in the table`);
        expectRoundTrip(`${known} request`, CONTROLS[known].request as Codec<unknown>, data);
      }
      const reply = packet.operation === OPERATIONS.REPLY_CONTROL ? readReplyControl(packet) : none;
      if (reply.ok && reply.value.status >= 0) {
        const known = controlName(opcodes.get(packet.reqid) ?? -1);
        expect(known !== undefined || !ORDERED.test(name)).toBe(true);
        if (known === undefined || !ORDERED.test(name)) continue;
        expectRoundTrip(
          `${known} reply`,
          CONTROLS[known].reply as Codec<unknown>,
          reply.value.data,
        );
      }
      const message = packet.operation === OPERATIONS.REQ_MESSAGE ? readReqMessage(packet) : none;
      if (message.ok) {
        const { srvid, data } = message.value;
        const codec = MESSAGES.get((srvid.hi & 0xffff0000) >>> 0);
        if (codec !== undefined) expectRoundTrip(`message ${srvid.hi}`, codec, data);
      }
    }
  });
}

for (const name of eventFiles) {
  test(`every packet of ${name} is decoded and encoded again to the same bytes`, () => {
    const asked = new Map<number, number>();
    for (const packet of packetsOf(name)) {
      const bytes = packet.bytes();
      const reqid = packet.u32(8);
      const isReply = asked.get(reqid) === packet.u32(12);
      if (isReply) {
        asked.delete(reqid);
        const reply = decodeEventReply(bytes);
        if (!reply.ok) throw new Error(`${reply.error}: ${hex(bytes)}`);
        expectSame("reply", encodeEventReply(reply.value.reqid, reply.value.body), bytes);
      } else {
        asked.set(reqid, packet.u32(12));
        const request = decodeEventRequest(bytes);
        if (!request.ok) throw new Error(`${request.error}: ${hex(bytes)}`);
        expectSame("request", encodeEventRequest(request.value.reqid, request.value.body), bytes);
      }
    }
    expect(asked.size).toBe(0);
  });
}
