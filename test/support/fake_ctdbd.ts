/**
 * A ctdbd that a test scripts: it speaks the real protocol over streams in memory, and answers each
 * control by a handler of the test. What it was asked is kept.
 */
import { SystemError } from "../../src/base/errors.ts";
import { err, ok } from "../../src/base/result.ts";
import { type U64, u64Equal } from "../../src/base/u64.ts";
import type { Network, Stream, StreamHandlers } from "../../src/platform/types/network.ts";
import { PacketFramer } from "../../src/transport/framer.ts";
import { bytesText, type Codec, decodeExact, EMPTY, encode } from "../../src/wire/codec.ts";
import {
  CONTROL_NOREPLY,
  CONTROLS,
  type ControlName,
  type ControlReplyOf,
  type ControlRequestOf,
  controlName,
} from "../../src/wire/controls.ts";
import { newPacket, OPERATIONS, type PacketView } from "../../src/wire/packet.ts";
import {
  REPLY_CALL_AT,
  REPLY_CONTROL_AT,
  REQ_CALL_AT,
  REQ_CONTROL_AT,
  REQ_MESSAGE_AT,
} from "../../src/wire/packets/layouts.ts";

export interface ScriptedReply<T> {
  readonly status?: number;
  readonly data?: T;
  readonly error?: string;
}

type Handler<N extends ControlName> = (
  request: ControlRequestOf<N>,
  destnode: number,
  flags: number,
) => ScriptedReply<ControlReplyOf<N>> | "silent";

export interface SeenControl {
  readonly name: ControlName;
  readonly request: unknown;
  readonly destnode: number;
  readonly srvid: U64;
  readonly flags: number;
}

export interface SeenMessage {
  readonly destnode: number;
  readonly srvid: U64;
  readonly data: Uint8Array;
}

/** How streams behave; by default they take and deliver everything at once. */
export interface StreamQuirks {
  /** Bytes per write that the client's stream takes before it needs `drain`. */
  readonly acceptBytes?: number;
  /** Size of the pieces in which replies are delivered. */
  readonly chunkBytes?: number;
}

export class FakeCtdbd {
  readonly pnn: number;
  readonly controls: SeenControl[] = [];
  readonly messages: SeenMessage[] = [];
  readonly calls: { readonly key: string; readonly flags: number }[] = [];
  /** Sizes of what the client wrote, one entry a write. */
  readonly writes: number[] = [];
  /** Runs after a message arrived (recoverd's part). */
  onMessage: (message: SeenMessage) => void = () => {};
  onCall: (key: Uint8Array) => number | "silent" = () => 0;
  /** Data of the answers to calls. */
  callData: Uint8Array = EMPTY;
  connections = 0;
  /** When an answer goes out; by default before anything else that waits for the next turn. */
  answerLater: (answer: () => void) => void = queueMicrotask;
  /** What a client had asked and was not answered when it closed; what a handler keeps silent about is left out. */
  readonly leftWaiting: string[] = [];
  readonly #waiting = new Map<number, string>();
  readonly #quirks: StreamQuirks;
  readonly #handlers = new Map<ControlName, Handler<never>>();
  #client: StreamHandlers | undefined;
  #srvids: U64[] = [];
  readonly #framer = new PacketFramer("client");

  constructor(pnn = 0, quirks: StreamQuirks = {}) {
    this.pnn = pnn;
    this.#quirks = quirks;
    this.on("GET_PNN", () => ({ status: pnn }));
    this.on("REGISTER_SRVID", () => ({}));
    this.on("DEREGISTER_SRVID", () => ({}));
  }

  on<N extends ControlName>(name: N, handler: Handler<N>): this {
    this.#handlers.set(name, handler as Handler<never>);
    return this;
  }

  /** What answers now, for who answers a part of it otherwise. */
  handler<N extends ControlName>(name: N): Handler<N> | undefined {
    return this.#handlers.get(name) as Handler<N> | undefined;
  }

  readonly network: Pick<Network, "connectUnix"> = {
    connectUnix: (path, connected) => {
      queueMicrotask(() => {
        if (path === "/nowhere") {
          connected(err(new SystemError("ENOENT", "connect", path)));
          return;
        }
        this.connections += 1;
        this.#client = connected(ok(this.#stream()));
      });
      return { cancel() {} };
    },
  };

  #stream(): Stream {
    return {
      write: (bytes) => {
        const taken = Math.min(bytes.length, this.#quirks.acceptBytes ?? bytes.length);
        this.writes.push(taken);
        const copy = bytes.slice(0, taken);
        queueMicrotask(() => this.#receive(copy));
        return taken;
      },
      pause() {},
      resume() {},
      close: () => {
        this.#client = undefined;
        this.leftWaiting.push(...this.#waiting.values());
        this.#waiting.clear();
      },
      peer: undefined,
      remoteAddress: undefined,
    };
  }

  /** Room for the client again. */
  drain(): void {
    this.#client?.onDrain();
  }

  /** Ends the connection from the daemon's side. */
  drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.onClose(undefined);
  }

  /** Delivers raw bytes to the client. */
  sendBytes(bytes: Uint8Array): void {
    const size = this.#quirks.chunkBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      // A buffer of its own that is overwritten: chunks are valid only during the callback.
      const chunk = bytes.slice(at, at + size);
      this.#client?.onData(chunk);
      chunk.fill(0xee);
    }
  }

  send(packet: PacketView): void {
    this.sendBytes(packet.bytes());
  }

  /** A message to the client, if it registered for the srvid. */
  sendMessage(srvid: U64, data: Uint8Array, srcnode = this.pnn): void {
    if (!this.#srvids.some((known) => u64Equal(known, srvid))) return;
    const header = { generation: 0, operation: OPERATIONS.REQ_MESSAGE, destnode: 0, srcnode };
    const packet = newPacket({ ...header, reqid: 0 }, REQ_MESSAGE_AT.DATA + data.length);
    packet.setU64(REQ_MESSAGE_AT.SRVID, srvid);
    packet.setU32(REQ_MESSAGE_AT.DATA_LENGTH, data.length);
    packet.set(REQ_MESSAGE_AT.DATA, data);
    this.send(packet);
  }

  replyControl(reqid: number, reply: { status: number; data: Uint8Array; error: string }): void {
    this.#waiting.delete(reqid);
    const error = new TextEncoder().encode(reply.error);
    const header = { generation: 0, operation: OPERATIONS.REPLY_CONTROL, destnode: 0 };
    const length = REPLY_CONTROL_AT.DATA + reply.data.length + error.length;
    const packet = newPacket({ ...header, srcnode: this.pnn, reqid }, length);
    packet.setU32(REPLY_CONTROL_AT.STATUS, reply.status);
    packet.setU32(REPLY_CONTROL_AT.DATA_LENGTH, reply.data.length);
    packet.setU32(REPLY_CONTROL_AT.ERROR_LENGTH, error.length);
    packet.set(REPLY_CONTROL_AT.DATA, reply.data);
    packet.set(REPLY_CONTROL_AT.DATA + reply.data.length, error);
    this.send(packet);
  }

  #receive(bytes: Uint8Array): void {
    this.#framer.push(bytes);
    for (let packet = this.#framer.next(); packet !== undefined; packet = this.#framer.next()) {
      this.#handle(packet);
    }
    if (this.#framer.error !== undefined) throw new Error(`client sent: ${this.#framer.error}`);
    this.#framer.hold();
  }

  #handle(packet: PacketView): void {
    if (packet.operation === OPERATIONS.REQ_CONTROL) this.#control(packet);
    else if (packet.operation === OPERATIONS.REQ_CALL) this.#call(packet);
    else if (packet.operation === OPERATIONS.REQ_MESSAGE) {
      const data = packet.slice(REQ_MESSAGE_AT.DATA, packet.u32(REQ_MESSAGE_AT.DATA_LENGTH));
      const srvid = packet.u64(REQ_MESSAGE_AT.SRVID);
      const message = { destnode: packet.destnode, srvid, data: data.slice() };
      this.messages.push(message);
      this.onMessage(message);
    }
  }

  #control(packet: PacketView): void {
    const name = controlName(packet.u32(REQ_CONTROL_AT.OPCODE));
    if (name === undefined) throw new Error("client sent an unknown control");
    const bytes = packet.slice(REQ_CONTROL_AT.DATA, packet.u32(REQ_CONTROL_AT.DATA_LENGTH));
    const decoded = decodeExact(CONTROLS[name].request as Codec<unknown>, bytes.slice());
    if (!decoded.ok) throw new Error(`client sent a bad ${name}: ${decoded.error}`);
    const srvid = packet.u64(REQ_CONTROL_AT.SRVID);
    const flags = packet.u32(REQ_CONTROL_AT.FLAGS);
    const { destnode, reqid } = packet;
    this.controls.push({ name, request: decoded.value, destnode, srvid, flags });
    if (name === "REGISTER_SRVID") this.#srvids.push(srvid);
    const handler = this.#handlers.get(name) as
      | ((request: unknown, destnode: number, flags: number) => ScriptedReply<unknown> | "silent")
      | undefined;
    const reply = handler?.(decoded.value, destnode, flags) ?? {
      status: -1,
      error: "not scripted",
    };
    if (reply === "silent" || (flags & CONTROL_NOREPLY) !== 0) return;
    const codec = CONTROLS[name].reply as Codec<unknown>;
    const data = reply.data === undefined ? EMPTY : encode(codec, reply.data);
    const { status = 0, error = "" } = reply;
    this.#waiting.set(reqid, name);
    this.answerLater(() => this.replyControl(reqid, { status, data, error }));
  }

  #call(packet: PacketView): void {
    const key = packet.slice(REQ_CALL_AT.KEY, packet.u32(REQ_CALL_AT.KEY_LENGTH)).slice();
    this.calls.push({ key: bytesText(key), flags: packet.u32(REQ_CALL_AT.FLAGS) });
    const status = this.onCall(key);
    if (status === "silent") return;
    const header = { generation: 0, operation: OPERATIONS.REPLY_CALL, destnode: 0 };
    const fields = { ...header, srcnode: this.pnn, reqid: packet.reqid };
    const reply = newPacket(fields, REPLY_CALL_AT.DATA + this.callData.length);
    reply.setU32(REPLY_CALL_AT.STATUS, status);
    reply.setU32(REPLY_CALL_AT.DATA_LENGTH, this.callData.length);
    reply.set(REPLY_CALL_AT.DATA, this.callData);
    this.#waiting.set(packet.reqid, "call");
    this.answerLater(() => {
      this.#waiting.delete(packet.reqid);
      this.send(reply);
    });
  }
}
