/**
 * Stands between a tool and a ctdbd, on a unix socket of its own: passes every byte on, and keeps what the
 * tool has asked and what of it was not answered when the tool left.
 */
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { type U64, u64Hex } from "../../../src/base/u64.ts";
import { PacketFramer } from "../../../src/transport/framer.ts";
import { SRVID } from "../../../src/wire/constants.ts";
import { CONTROL_NOREPLY, controlName } from "../../../src/wire/controls.ts";
import {
  BROADCAST_ACTIVE,
  BROADCAST_ALL,
  BROADCAST_CONNECTED,
  CURRENT_NODE,
  OPERATIONS,
  type PacketView,
} from "../../../src/wire/packet.ts";
import { REQ_CALL_AT, REQ_CONTROL_AT, REQ_MESSAGE_AT } from "../../../src/wire/packets/layouts.ts";

export interface SentRequest {
  /** Name of the control, `CALL`, `MESSAGE`, or the number of another operation. */
  readonly name: string;
  /** `node 1`, `the own node`, `all connected nodes` … */
  readonly to: string;
  /** Of messages and of controls that have one: the name of a known one, else its range. */
  readonly srvid: string;
  /** Bytes behind the fixed fields. */
  readonly dataBytes: number;
  readonly noReply: boolean;
}

export interface Conversation {
  readonly requests: SentRequest[];
  /** Names of the requests that wait for an answer; what is left when the tool is gone stays. */
  readonly waiting: Map<number, string>;
  /** Refusals, by the name of the request. */
  readonly refused: string[];
}

/** One line for a request, as comparisons show it. */
export function requestText({ name, to, srvid, dataBytes, noReply }: SentRequest): string {
  const about = srvid === "" ? "" : ` ${srvid}`;
  return `${name}${about} to ${to}, ${dataBytes} bytes${noReply ? ", no reply" : ""}`;
}

export class RecordingProxy {
  readonly path: string;
  readonly #ownPnn: number;
  readonly #daemon: string;
  readonly #server: Server;
  #conversations: Conversation[] = [];

  private constructor(path: string, daemon: string, ownPnn: number) {
    this.path = path;
    this.#daemon = daemon;
    this.#ownPnn = ownPnn;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static listen(path: string, daemon: string, ownPnn: number): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(path, daemon, ownPnn);
    return new Promise((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(path, () => resolve(proxy));
    });
  }

  /** What was recorded since the last call, a connection each. */
  take(): readonly Conversation[] {
    const taken = this.#conversations;
    this.#conversations = [];
    return taken;
  }

  close(): void {
    this.#server.close();
  }

  #accept(tool: Socket): void {
    const conversation: Conversation = { requests: [], waiting: new Map(), refused: [] };
    this.#conversations.push(conversation);
    const daemon = createConnection(this.#daemon);
    let toolIsGone = false;
    const ask = new PacketFramer("client");
    const answer = new PacketFramer("client");
    tool.on("data", (chunk: Uint8Array) => {
      daemon.write(chunk);
      cut(ask, chunk, (packet) => this.#asked(conversation, packet));
    });
    daemon.on("data", (chunk: Uint8Array) => {
      // An answer that nobody reads any more is none.
      if (!toolIsGone) cut(answer, chunk, (packet) => answered(conversation, packet));
      tool.write(chunk);
    });
    tool.on("close", () => {
      toolIsGone = true;
      daemon.end();
    });
    daemon.on("close", () => tool.end());
    tool.on("error", () => {});
    daemon.on("error", () => {});
  }

  #asked(conversation: Conversation, packet: PacketView): void {
    const request = this.#describe(packet);
    conversation.requests.push(request);
    if (packet.operation === OPERATIONS.REQ_MESSAGE || request.noReply) return;
    conversation.waiting.set(packet.reqid, request.name);
  }

  #describe(packet: PacketView): SentRequest {
    const common = { to: this.#destination(packet.destnode), noReply: false };
    switch (packet.operation) {
      case OPERATIONS.REQ_CONTROL: {
        const opcode = packet.u32(REQ_CONTROL_AT.OPCODE);
        return {
          ...common,
          name: controlName(opcode) ?? `control ${opcode}`,
          srvid: srvidText(packet.u64(REQ_CONTROL_AT.SRVID)),
          dataBytes: packet.u32(REQ_CONTROL_AT.DATA_LENGTH),
          noReply: (packet.u32(REQ_CONTROL_AT.FLAGS) & CONTROL_NOREPLY) !== 0,
        };
      }
      case OPERATIONS.REQ_MESSAGE: {
        const srvid = srvidText(packet.u64(REQ_MESSAGE_AT.SRVID));
        const dataBytes = packet.u32(REQ_MESSAGE_AT.DATA_LENGTH);
        return { ...common, name: "MESSAGE", srvid, dataBytes };
      }
      case OPERATIONS.REQ_CALL: {
        const dataBytes = packet.u32(REQ_CALL_AT.KEY_LENGTH) + packet.u32(REQ_CALL_AT.DATA_LENGTH);
        return { ...common, name: "CALL", srvid: "", dataBytes };
      }
      default: {
        const name = `operation ${packet.operation}`;
        return { ...common, name, srvid: "", dataBytes: packet.length };
      }
    }
  }

  #destination(pnn: number): string {
    if (pnn === CURRENT_NODE || pnn === this.#ownPnn) return "the own node";
    return BROADCASTS.get(pnn) ?? `node ${pnn}`;
  }
}

const BROADCASTS = new Map([
  [BROADCAST_ALL, "all nodes"],
  [BROADCAST_ACTIVE, "all active nodes"],
  [BROADCAST_CONNECTED, "all connected nodes"],
]);

const KNOWN_SRVIDS = new Map<string, string>(
  Object.entries(SRVID).map(([name, srvid]) => [u64Hex(srvid), name]),
);

function srvidText(srvid: U64): string {
  if (srvid.hi === 0 && srvid.lo === 0) return "";
  const known = KNOWN_SRVIDS.get(u64Hex(srvid));
  if (known !== undefined) return known;
  const range = RANGES.find(([prefix]) => srvid.hi >>> 24 === prefix);
  return range === undefined ? u64Hex(srvid) : `of ${range[1]}`;
}

const RANGES = [
  [0xbe, "a client"],
  [0xce, "a tool"],
] as const;

function cut(framer: PacketFramer, chunk: Uint8Array, see: (packet: PacketView) => void): void {
  framer.push(chunk);
  for (let packet = framer.next(); packet !== undefined; packet = framer.next()) see(packet);
  if (framer.error !== undefined) throw new Error(`cannot cut into packets: ${framer.error}`);
  framer.hold();
}

const REPLIES: ReadonlySet<number> = new Set([
  OPERATIONS.REPLY_CONTROL,
  OPERATIONS.REPLY_CALL,
  OPERATIONS.REPLY_ERROR,
]);

function answered(conversation: Conversation, packet: PacketView): void {
  if (!REPLIES.has(packet.operation)) return;
  const name = conversation.waiting.get(packet.reqid);
  if (name === undefined) return;
  conversation.waiting.delete(packet.reqid);
  if (packet.i32(STATUS_AT) < 0) conversation.refused.push(name);
}

/** The same in all replies. */
const STATUS_AT = 32;
