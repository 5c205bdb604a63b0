import { expect, test } from "bun:test";
import { anyHeader, headerOf, OPERATION_TARGETS } from "../../test/fuzz/packet_samples.ts";
import { withSeed } from "../../test/fuzz/seeded_random.ts";
import { must } from "../../test/support/must.ts";
import { EMPTY, textBytes } from "./codec.ts";
import { CTDB_MAGIC, newPacket, OPERATIONS, type PacketHeader, PacketView } from "./packet.ts";
import {
  buildReplyControl,
  buildReqCall,
  buildReqDmaster,
  buildReqMessage,
  LAYOUTS,
  layoutOfOperation,
  packetProblem,
  REQ_CALL_AT,
  REQ_CONTROL_AT,
  REQ_MESSAGE_AT,
  readReplyControl,
  readReqCall,
  readReqDmaster,
  readReqKeepalive,
} from "./packets.ts";

const HEADER: PacketHeader = { generation: 9, destnode: 1, srcnode: 2, reqid: 3 };

/** The packet's first `length` bytes as a packet. */
function cut(packet: PacketView, length: number): PacketView {
  const view = new PacketView();
  const bytes = packet.bytes();
  view.moveTo(bytes, 0, length);
  return view;
}

/** The flags word of DMASTER packets may be cut off, and the bare header is a keepalive. */
function withoutFlags(body: unknown): unknown {
  return { ...(body as object), recordFlags: undefined };
}

for (const operation of OPERATION_TARGETS) {
  test(`${operation.name} is read as it was built`, () => {
    withSeed((random) => {
      for (let round = 0; round < 100; round++) {
        const header = anyHeader(random);
        const { packet, body } = operation.build(header, random);
        expect(packet.length % 8).toBe(0);
        expect(packet.u32(0)).toBe(packet.length);
        expect(packet.u32(4)).toBe(CTDB_MAGIC);
        expect(packet.operation).toBe(OPERATIONS[operation.name]);
        expect(headerOf(packet)).toEqual(header);
        expect(packetProblem(packet)).toBeUndefined();
        expect(operation.read(packet)).toEqual({ ok: true, value: body });
      }
    });
  });

  test(`${operation.name} cut short is refused with a reason, or is whole without its padding`, () => {
    withSeed((random) => {
      const { packet, body } = operation.build(HEADER, random);
      for (let length = 32; length < packet.length; length++) {
        const short = cut(packet, length);
        const outcome = operation.read(short);
        if (!outcome.ok) expect(outcome.error).toContain(`${operation.name}`);
        else if (length > 32) expect(withoutFlags(outcome.value)).toEqual(withoutFlags(body));
      }
    });
  });
}

test("readers refuse inner lengths whose sum would wrap around", () => {
  const key = textBytes("key");
  const packet = buildReqCall(HEADER, {
    flags: 0,
    db_id: 1,
    callid: 2,
    hopcount: 0,
    key,
    calldata: EMPTY,
  });
  packet.setU32(REQ_CALL_AT.KEY_LENGTH, 0xffffffff);
  packet.setU32(REQ_CALL_AT.DATA_LENGTH, 1);
  expect(readReqCall(packet)).toEqual({
    ok: false,
    error: "REQ_CALL says 4294967295+1 bytes of data, 8 are there",
  });
  expect(packetProblem(packet)).toContain("4294967295+1");
});

test("readers give views, not copies", () => {
  const packet = buildReqMessage(HEADER, { srvid: { hi: 1, lo: 2 }, data: textBytes("hello") });
  packet.set(REQ_MESSAGE_AT.DATA, textBytes("HELLO"));
  expect(packet.u64(REQ_MESSAGE_AT.SRVID)).toEqual({ hi: 1, lo: 2 });
  const call = buildReqCall(HEADER, {
    flags: 4,
    db_id: 1,
    callid: 2,
    hopcount: 0,
    key: textBytes("key"),
    calldata: EMPTY,
  });
  const read = must(readReqCall(call));
  expect(read.key.buffer).toBe(call.bytes().buffer);
  call.setU32(REQ_CALL_AT.HOPCOUNT, 5);
  expect(readReqCall(call)).toMatchObject({ ok: true, value: { hopcount: 5, flags: 4 } });
});

test("readReqDmaster() takes record flags as 0 from a sender that appends none", () => {
  const body = {
    db_id: 1,
    rsn: { hi: 0, lo: 7 },
    dmaster: 2,
    key: textBytes("four"),
    data: EMPTY,
    recordFlags: 0x10000,
  };
  const packet = buildReqDmaster(HEADER, body);
  expect(packet.length).toBe(72);
  expect(readReqDmaster(packet)).toEqual({ ok: true, value: body });
  expect(readReqDmaster(cut(packet, 64))).toEqual({ ok: true, value: { ...body, recordFlags: 0 } });
});

test("readReqKeepalive() takes the bare header as version 0", () => {
  const operation = OPERATIONS.REQ_KEEPALIVE;
  const packet = newPacket({ ...HEADER, operation }, 32);
  expect(readReqKeepalive(packet)).toEqual({ ok: true, value: { version: 0, uptime: 0 } });
  expect(packetProblem(packet)).toBeUndefined();
});

test("readReplyControl() takes data and error text apart, with or without NUL", () => {
  const body = { status: -1, data: textBytes("data"), error: "it failed" };
  const packet = buildReplyControl(HEADER, body);
  expect(readReplyControl(packet)).toEqual({ ok: true, value: body });
  // As a peer that counts a NUL would send it.
  packet.setU32(40, body.error.length + 1);
  expect(readReplyControl(packet)).toEqual({ ok: true, value: body });
});

test("packetProblem() names operations that do not exist", () => {
  for (const operation of [6, 11, 0xffffffff]) {
    const packet = newPacket({ ...HEADER, operation }, 64);
    expect(packetProblem(packet)).toBe(`operation ${operation} is not known`);
    expect(layoutOfOperation(operation)).toBeUndefined();
  }
});

test("LAYOUTS has the offsets of the protocol", () => {
  expect(Object.values(LAYOUTS).map((layout) => layout.fixedBytes)).toEqual([
    56, 40, 60, 56, 40, 44, 60, 44, 32, 48,
  ]);
  expect([REQ_CONTROL_AT.OPCODE, REQ_CONTROL_AT.SRVID, REQ_CONTROL_AT.FLAGS]).toEqual([32, 40, 52]);
  expect([REQ_CALL_AT.FLAGS, REQ_CALL_AT.DB_ID, REQ_CALL_AT.HOPCOUNT]).toEqual([32, 36, 44]);
});
