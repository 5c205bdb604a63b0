/** Random valid packets of every operation, built by the builders, and read back by the readers. */
import { ok, type Result } from "../../src/base/result.ts";
import { type AnyCodec, type Codec, encode } from "../../src/wire/codec.ts";
import { CONTROL_NAMES, CONTROLS, type ControlName } from "../../src/wire/controls.ts";
import type { EventReply, EventRequest } from "../../src/wire/event_protocol.ts";
import {
  OPERATIONS,
  type OperationName,
  type PacketHeader,
  type PacketView,
} from "../../src/wire/packet.ts";
import * as p from "../../src/wire/packets.ts";
import {
  anyBytes,
  anyEventText,
  anyI32,
  anyText,
  anyTimeval,
  anyU32,
  anyU64,
  type Generator,
  generatorOf,
} from "./generators.ts";
import type { SeededRandom } from "./seeded_random.ts";

export const anyHeader: Generator<PacketHeader> = (random) => ({
  generation: anyU32(random),
  destnode: anyU32(random),
  srcnode: anyU32(random),
  reqid: anyU32(random),
});

/** Build and read of one operation, as functions of one body type that stays inside. */
export interface OperationTarget {
  readonly name: OperationName;
  sample(random: SeededRandom): PacketView;
  /** Reads the body and builds the packet again from it. */
  rebuild(packet: PacketView): Result<PacketView>;
  /** The body as a value, for comparisons. */
  read(packet: PacketView): Result<unknown>;
  body(random: SeededRandom): unknown;
  build(header: PacketHeader, random: SeededRandom): { packet: PacketView; body: unknown };
}

function target<Body>(
  name: OperationName,
  body: Generator<Body>,
  build: (header: PacketHeader, body: Body) => PacketView,
  read: (packet: PacketView) => Result<Body>,
): OperationTarget {
  return {
    name,
    body,
    read,
    sample: (random) => build(anyHeader(random), body(random)),
    build(header, random) {
      const value = body(random);
      return { packet: build(header, value), body: value };
    },
    rebuild(packet) {
      const value = read(packet);
      return value.ok ? ok(build(headerOf(packet), value.value)) : value;
    },
  };
}

export function headerOf(packet: PacketView): PacketHeader {
  const { generation, destnode, srcnode, reqid } = packet;
  return { generation, destnode, srcnode, reqid };
}

const anyControlData: Generator<Uint8Array> = (random) => {
  const name = random.pick(CONTROL_NAMES as [ControlName, ...ControlName[]]);
  const request: AnyCodec = CONTROLS[name].request;
  return encode(request as Codec<unknown>, generatorOf(request)(random));
};

export const OPERATION_TARGETS: readonly OperationTarget[] = [
  target(
    "REQ_CALL",
    (random) => ({
      flags: anyU32(random),
      db_id: anyU32(random),
      callid: anyU32(random),
      hopcount: anyU32(random),
      key: anyBytes(random),
      calldata: anyBytes(random),
    }),
    p.buildReqCall,
    p.readReqCall,
  ),
  target(
    "REPLY_CALL",
    (random) => ({ status: anyI32(random), data: anyBytes(random) }),
    p.buildReplyCall,
    p.readReplyCall,
  ),
  target(
    "REQ_DMASTER",
    (random) => ({
      db_id: anyU32(random),
      rsn: anyU64(random),
      dmaster: anyU32(random),
      key: anyBytes(random),
      data: anyBytes(random),
      recordFlags: anyU32(random),
    }),
    p.buildReqDmaster,
    p.readReqDmaster,
  ),
  target(
    "REPLY_DMASTER",
    (random) => ({
      db_id: anyU32(random),
      rsn: anyU64(random),
      key: anyBytes(random),
      data: anyBytes(random),
      recordFlags: anyU32(random),
    }),
    p.buildReplyDmaster,
    p.readReplyDmaster,
  ),
  target(
    "REPLY_ERROR",
    (random) => ({ status: anyI32(random), message: anyText(random) }),
    p.buildReplyError,
    p.readReplyError,
  ),
  target(
    "REQ_MESSAGE",
    (random) => ({ srvid: anyU64(random), data: anyBytes(random) }),
    p.buildReqMessage,
    p.readReqMessage,
  ),
  target(
    "REQ_CONTROL",
    (random) => ({
      opcode: anyU32(random),
      srvid: anyU64(random),
      client_id: anyU32(random),
      flags: anyU32(random),
      data: anyControlData(random),
    }),
    p.buildReqControl,
    p.readReqControl,
  ),
  target(
    "REPLY_CONTROL",
    (random) => ({ status: anyI32(random), data: anyBytes(random), error: anyText(random) }),
    p.buildReplyControl,
    p.readReplyControl,
  ),
  target(
    "REQ_KEEPALIVE",
    (random) => ({ version: anyU32(random), uptime: anyU32(random) }),
    p.buildReqKeepalive,
    p.readReqKeepalive,
  ),
  target(
    "REQ_TUNNEL",
    (random) => ({ tunnel_id: anyU64(random), flags: anyU32(random), data: anyBytes(random) }),
    p.buildReqTunnel,
    p.readReqTunnel,
  ),
];

const byOperation = new Map(
  OPERATION_TARGETS.map((entry) => [OPERATIONS[entry.name] as number, entry]),
);

export function operationTarget(operation: number): OperationTarget | undefined {
  return byOperation.get(operation);
}

export const anyEventRequest: Generator<EventRequest> = (random) => {
  const component = anyEventText(random);
  const command = random.pick(["run", "status", "script"]);
  if (command === "status") return { command, component, event: anyEventText(random) };
  if (command === "script") {
    const action = random.pick(["enable", "disable"] as const);
    return { command, component, script: anyEventText(random), action };
  }
  return {
    command: "run",
    component,
    event: anyEventText(random),
    args: anyEventText(random),
    timeout: anyU32(random),
    flags: anyU32(random),
  };
};

export const anyEventReply: Generator<EventReply> = (random) => {
  const command = random.pick(["run", "status", "script"] as const);
  const result = random.chance(0.6) ? 0 : anyI32(random);
  if (command !== "status") return { command, result };
  if (result !== 0) return { command, result, status: undefined };
  const scripts = Array.from({ length: random.below(5) }, () => ({
    name: anyEventText(random),
    begin: anyTimeval(random),
    end: anyTimeval(random),
    result: anyI32(random),
    output: anyEventText(random),
  }));
  return { command, result, status: { summary: anyI32(random), scripts } };
};
