/**
 * A connection to a ctdbd that sends whatever bytes a test wants, well-formed or not, and shows what
 * comes back. For tests of what a daemon does with requests that our client would never send.
 */
import { createConnection, type Socket } from "node:net";
import { type U64, U64_ZERO } from "../../src/base/u64.ts";
import { CURRENT_NODE, newPacket, OPERATIONS, PacketView } from "../../src/wire/packet.ts";
import { REPLY_CONTROL_AT, REQ_CONTROL_AT } from "../../src/wire/packets/layouts.ts";

export type RawAnswer =
  | {
      readonly kind: "reply";
      readonly status: number;
      readonly data: Uint8Array;
      readonly error: string;
    }
  | { readonly kind: "silence" }
  | { readonly kind: "closed" };

export class RawClient {
  readonly #socket: Socket;
  #buffer = new Uint8Array(0);
  #closed = false;
  #reqid = 0;
  #waiting = new Map<number, (answer: RawAnswer) => void>();
  /** Packets that answer no request of ours: messages. */
  readonly unasked: PacketView[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.on("close", () => this.#end());
    socket.on("error", () => {});
  }

  static connect(path: string): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(path);
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RawClient(socket)));
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** One REQ_CONTROL with any opcode and any data, and its answer. */
  control(
    opcode: number,
    data: Uint8Array,
    options: { srvid?: U64; timeoutMs: number; flags?: number },
  ): Promise<RawAnswer> {
    if (this.#closed) return Promise.resolve({ kind: "closed" });
    this.#reqid += 1;
    const reqid = this.#reqid;
    const header = {
      generation: 0,
      operation: OPERATIONS.REQ_CONTROL,
      destnode: CURRENT_NODE,
      srcnode: 0,
      reqid,
    };
    const packet = newPacket(header, REQ_CONTROL_AT.DATA + data.length);
    packet.setU32(REQ_CONTROL_AT.OPCODE, opcode);
    packet.setU64(REQ_CONTROL_AT.SRVID, options.srvid ?? U64_ZERO);
    packet.setU32(REQ_CONTROL_AT.FLAGS, options.flags ?? 0);
    packet.setU32(REQ_CONTROL_AT.DATA_LENGTH, data.length);
    packet.set(REQ_CONTROL_AT.DATA, data);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(reqid, { kind: "silence" }), options.timeoutMs);
      this.#waiting.set(reqid, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#socket.write(packet.bytes());
    });
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Uint8Array): void {
    const joined = new Uint8Array(this.#buffer.length + chunk.length);
    joined.set(this.#buffer);
    joined.set(chunk, this.#buffer.length);
    const view = new DataView(joined.buffer);
    let at = 0;
    while (at + 4 <= joined.length) {
      const length = view.getUint32(at, true);
      if (length < 32) {
        this.close();
        return;
      }
      if (at + length > joined.length) break;
      const packet = new PacketView();
      packet.moveTo(joined, at, length);
      this.#dispatch(packet.copy());
      at += length;
    }
    this.#buffer = joined.slice(at);
  }

  #dispatch(packet: PacketView): void {
    if (packet.operation !== OPERATIONS.REPLY_CONTROL || !this.#waiting.has(packet.reqid)) {
      this.unasked.push(packet);
      return;
    }
    const dataLength = packet.u32(REPLY_CONTROL_AT.DATA_LENGTH);
    const errorLength = packet.u32(REPLY_CONTROL_AT.ERROR_LENGTH);
    const error = packet.slice(REPLY_CONTROL_AT.DATA + dataLength, errorLength);
    this.#answer(packet.reqid, {
      kind: "reply",
      status: packet.i32(REPLY_CONTROL_AT.STATUS),
      data: packet.slice(REPLY_CONTROL_AT.DATA, dataLength),
      error: new TextDecoder().decode(error),
    });
  }

  #answer(reqid: number, answer: RawAnswer): void {
    const resolve = this.#waiting.get(reqid);
    this.#waiting.delete(reqid);
    resolve?.(answer);
  }

  #end(): void {
    this.#closed = true;
    for (const reqid of [...this.#waiting.keys()]) this.#answer(reqid, { kind: "closed" });
  }
}
