import { expect, test } from "bun:test";
import { anyEventReply, anyEventRequest } from "../../test/fuzz/packet_samples.ts";
import { withSeed } from "../../test/fuzz/seeded_random.ts";
import { PacketFramer } from "../transport/framer.ts";
import {
  decodeEventReply,
  decodeEventRequest,
  encodeEventReply,
  encodeEventRequest,
} from "./event_protocol.ts";

test("event requests and replies decode to what was encoded", () => {
  withSeed((random) => {
    for (let round = 0; round < 300; round++) {
      const request = anyEventRequest(random);
      expect(decodeEventRequest(encodeEventRequest(round, request))).toEqual({
        ok: true,
        value: { reqid: round, body: request },
      });
      const reply = anyEventReply(random);
      expect(decodeEventReply(encodeEventReply(round, reply))).toEqual({
        ok: true,
        value: { reqid: round, body: reply },
      });
    }
  });
});

test("event packets cut short are refused with a reason", () => {
  withSeed((random) => {
    const request = encodeEventRequest(1, anyEventRequest(random));
    const reply = encodeEventReply(2, anyEventReply(random));
    for (let length = 0; length < request.length; length++) {
      const outcome = decodeEventRequest(request.slice(0, length));
      expect(!outcome.ok && outcome.error).toMatch(/at byte \d+: /);
    }
    for (let length = 0; length < reply.length; length++) {
      const outcome = decodeEventReply(reply.slice(0, length));
      expect(!outcome.ok && outcome.error).toMatch(/at byte \d+: /);
    }
  });
});

test("encodeEventRequest() lays a status request out as the C daemon reads it", () => {
  const bytes = encodeEventRequest(7, { command: "status", component: "a", event: undefined });
  expect([...bytes]).toEqual([
    26, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0x61, 0, 0, 0, 0, 0,
  ]);
});

test("decodeEventRequest() refuses commands and actions that do not exist", () => {
  const bytes = encodeEventRequest(7, {
    command: "script",
    component: "a",
    script: "b",
    action: "enable",
  });
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 4, 2, true);
  expect(decodeEventRequest(bytes)).toMatchObject({
    ok: false,
    error: expect.stringContaining("script action 2 is neither 0 (disable) nor 1 (enable)"),
  });
  view.setUint32(12, 4, true);
  expect(decodeEventRequest(bytes)).toMatchObject({
    ok: false,
    error: expect.stringContaining("event command 4 is not 1, 2 or 3"),
  });
});

test("PacketFramer in mode event cuts a stream of event packets", () => {
  withSeed((random) => {
    const sent = Array.from({ length: 20 }, (_, i) =>
      encodeEventRequest(i, anyEventRequest(random)),
    );
    const stream = Buffer.concat(sent);
    const framer = new PacketFramer("event");
    const received: Uint8Array[] = [];
    for (let at = 0; at < stream.length; ) {
      const size = 1 + random.below(20);
      framer.push(stream.subarray(at, at + size));
      at += size;
      for (let packet = framer.next(); packet !== undefined; packet = framer.next()) {
        received.push(packet.bytes().slice());
      }
    }
    expect(framer.error).toBeUndefined();
    expect(received).toEqual(sent);
  });
});

test("PacketFramer in mode event refuses a length shorter than the header", () => {
  const framer = new PacketFramer("event");
  framer.push(Uint8Array.of(11, 0, 0, 0));
  expect(framer.next()).toBeUndefined();
  expect(framer.error).toBe("packet length 11, at least 12 bytes are expected");
});
