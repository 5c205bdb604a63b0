/**
 * Requests to the event daemon and its replies (docs/protocol.md, "Event protocol").
 *
 * A packet is {length, version, reqid} and a body that begins with the command. The stream is cut by
 * PacketFramer in mode "event". Decoding is bounded and gives the reason; bytes behind the body are
 * ignored, as the C daemon does.
 */
import { err, ok, type Result } from "../base/result.ts";
import {
  type Codec,
  counted,
  i32Codec,
  optionalString,
  struct,
  type TypeOf,
  u32Codec,
} from "./codec.ts";
import { EVENT_HEADER_BYTES } from "./limits.ts";
import { Reader } from "./reader.ts";
import { timeval } from "./structs/time.ts";
import { Writer } from "./writer.ts";

/** Clients and daemon of the original send 0 and do not look at it. */
const EVENT_VERSION_SENT = 0;

const EVENT_COMMANDS = { run: 1, status: 2, script: 3 } as const;
export type EventCommand = keyof typeof EVENT_COMMANDS;

const EVENT_SCRIPT_ACTIONS = { disable: 0, enable: 1 } as const;
export type EventScriptAction = keyof typeof EVENT_SCRIPT_ACTIONS;

const scriptAction: Codec<EventScriptAction> = {
  minSize: 4,
  encode: (writer, value) => writer.u32(EVENT_SCRIPT_ACTIONS[value]),
  decode(reader) {
    const value = reader.u32();
    if (value > 1) reader.fail(`script action ${value} is neither 0 (disable) nor 1 (enable)`);
    return value === 1 ? "enable" : "disable";
  },
};

/** Text that was not given is undefined (length 0 on the wire), which is not the same as "". */
const eventRun = struct({
  component: optionalString,
  event: optionalString,
  args: optionalString,
  /** Seconds. */
  timeout: u32Codec,
  flags: u32Codec,
});
export type EventRun = TypeOf<typeof eventRun>;

const eventStatusRequest = struct({ component: optionalString, event: optionalString });
/**
 * `lastGood`: of the last run in which no script failed, rather than of the last one. It is ours: the word stands
 * behind the request, where others neither send nor look for anything.
 */
export type EventStatusRequest = TypeOf<typeof eventStatusRequest> & {
  readonly lastGood?: boolean;
};

const WANTS_LAST_GOOD = 1;

const eventScript = struct({
  component: optionalString,
  script: optionalString,
  action: scriptAction,
});
export type EventScript = TypeOf<typeof eventScript>;

/** Exit status ≥ 0, or a negative errno: EINTR signal, ENOEXEC disabled, ETIMEDOUT, ENOMSG not run. */
const eventScriptResult = struct({
  name: optionalString,
  begin: timeval,
  end: timeval,
  result: i32Codec,
  output: optionalString,
});

const eventStatus = struct({
  summary: i32Codec,
  scripts: counted(eventScriptResult, "scripts"),
});
export type EventStatus = TypeOf<typeof eventStatus>;

export type EventRequest =
  | ({ readonly command: "run" } & EventRun)
  | ({ readonly command: "status" } & EventStatusRequest)
  | ({ readonly command: "script" } & EventScript);

/** `result` is 0 or an errno; a status comes with result 0 only. */
export type EventReply =
  | { readonly command: "run" | "script"; readonly result: number }
  | {
      readonly command: "status";
      readonly result: number;
      readonly status: EventStatus | undefined;
    };

export interface EventPacket<Body> {
  readonly reqid: number;
  readonly body: Body;
}

const eventRequest: Codec<EventRequest> = {
  minSize: 4,
  encode(writer, value) {
    writer.u32(EVENT_COMMANDS[value.command]);
    if (value.command === "run") eventRun.encode(writer, value);
    else if (value.command === "status") {
      eventStatusRequest.encode(writer, value);
      if (value.lastGood === true) writer.u32(WANTS_LAST_GOOD);
    } else eventScript.encode(writer, value);
  },
  decode(reader) {
    const command = readCommand(reader);
    if (command === "run") return { command, ...eventRun.decode(reader) };
    if (command === "status") {
      const request = eventStatusRequest.decode(reader);
      const lastGood = reader.remaining >= 4 && reader.u32() === WANTS_LAST_GOOD;
      return lastGood ? { command, ...request, lastGood } : { command, ...request };
    }
    return { command, ...eventScript.decode(reader) };
  },
};

const eventReply: Codec<EventReply> = {
  minSize: 8,
  encode(writer, value) {
    writer.u32(EVENT_COMMANDS[value.command]);
    writer.i32(value.result);
    if (value.command !== "status" || value.result !== 0) return;
    eventStatus.encode(writer, value.status ?? { summary: 0, scripts: [] });
  },
  decode(reader) {
    const command = readCommand(reader);
    const result = reader.i32();
    if (command !== "status") return { command, result };
    return { command, result, status: result === 0 ? eventStatus.decode(reader) : undefined };
  },
};

function readCommand(reader: Reader): EventCommand {
  const number = reader.u32();
  if (number === EVENT_COMMANDS.status) return "status";
  if (number === EVENT_COMMANDS.script) return "script";
  if (number !== EVENT_COMMANDS.run) reader.fail(`event command ${number} is not 1, 2 or 3`);
  return "run";
}

export function encodeEventRequest(reqid: number, request: EventRequest): Uint8Array {
  return encodePacket(eventRequest, reqid, request);
}
export function decodeEventRequest(packet: Uint8Array): Result<EventPacket<EventRequest>> {
  return decodePacket(eventRequest, packet);
}

export function encodeEventReply(reqid: number, reply: EventReply): Uint8Array {
  return encodePacket(eventReply, reqid, reply);
}
export function decodeEventReply(packet: Uint8Array): Result<EventPacket<EventReply>> {
  return decodePacket(eventReply, packet);
}

function encodePacket<Body>(codec: Codec<Body>, reqid: number, body: Body): Uint8Array {
  const writer = new Writer(EVENT_HEADER_BYTES + codec.minSize);
  writer.u32(0);
  writer.u32(EVENT_VERSION_SENT);
  writer.u32(reqid);
  codec.encode(writer, body);
  writer.setU32(0, writer.length);
  return writer.finish();
}

function decodePacket<Body>(codec: Codec<Body>, packet: Uint8Array): Result<EventPacket<Body>> {
  const reader = new Reader(packet);
  const length = reader.u32();
  reader.u32();
  const reqid = reader.u32();
  if (!reader.failed && length !== packet.length) {
    reader.fail(`packet says ${length} bytes, ${packet.length} are there`);
  }
  const body = codec.decode(reader);
  return reader.error === undefined ? ok({ reqid, body }) : err(reader.error);
}
