/**
 * One SMB2 connection with one session and one share, one request at a time. A refusal is a status, not
 * an exception; a broken connection is an exception.
 */
import { connect, type Socket } from "node:net";
import * as messages from "./messages.ts";

export const STATUS = {
  ok: 0,
  pending: 0x103,
  endOfFile: 0xc0000011,
  moreProcessing: 0xc0000016,
  sharingViolation: 0xc0000043,
  fileLockConflict: 0xc0000054,
  lockNotGranted: 0xc0000055,
} as const;

export interface Answer {
  readonly status: number;
  /** Header and body. */
  readonly packet: DataView;
}

const SMB_PORT = 445;
const STATUS_AT = 8;
const TREE_AT = 36;
const SESSION_AT = 40;
const SESSION_TOKEN_STATUS_OK = [STATUS.moreProcessing, STATUS.ok] as readonly number[];
const CREATE_FILE_ID_AT = messages.HEADER_SIZE + 64;
const READ_DATA_OFFSET_AT = messages.HEADER_SIZE + 2;
const READ_LENGTH_AT = messages.HEADER_SIZE + 4;

export class Smb2Connection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #wake: () => void = () => {};
  #broken: Error | undefined;
  #tell: (error: Error) => void = () => {};
  #messageId = 0;
  #treeId = 0;
  #sessionId: Uint8Array = new Uint8Array(8);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the server closed the connection")));
  }

  /** A session of nobody with the share. */
  static async open(address: string, share: string): Promise<Smb2Connection> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const made = connect({ host: address, port: SMB_PORT, noDelay: true });
      made.once("connect", () => resolve(made));
      made.once("error", reject);
    });
    const connection = new Smb2Connection(socket);
    await connection.#logOn(`\\\\${address}\\${share}`);
    return connection;
  }

  async create(
    name: string,
    options: messages.OpenOptions,
  ): Promise<{ status: number; file: Uint8Array }> {
    const { status, packet } = await this.#ask("create", messages.create(name, options));
    const file = status === STATUS.ok ? bytes(packet, CREATE_FILE_ID_AT, 16) : new Uint8Array(16);
    return { status, file };
  }
  async close(file: Uint8Array): Promise<number> {
    return (await this.#ask("close", messages.closeFile(file))).status;
  }
  async flush(file: Uint8Array): Promise<number> {
    return (await this.#ask("flush", messages.flush(file))).status;
  }
  async lock(file: Uint8Array, offset: number, length: number, flags: number): Promise<number> {
    return (await this.#ask("lock", messages.lock(file, offset, length, flags))).status;
  }
  async write(file: Uint8Array, offset: number, data: Uint8Array): Promise<number> {
    return (await this.#ask("write", messages.write(file, offset, data))).status;
  }
  async read(
    file: Uint8Array,
    offset: number,
    length: number,
  ): Promise<{ status: number; data: Uint8Array }> {
    const { status, packet } = await this.#ask("read", messages.read(file, offset, length));
    if (status !== STATUS.ok) return { status, data: new Uint8Array() };
    const at = packet.getUint8(READ_DATA_OFFSET_AT);
    return { status, data: bytes(packet, at, packet.getUint32(READ_LENGTH_AT, true)) };
  }

  async #logOn(unc: string): Promise<void> {
    const must = (what: string, { status }: Answer, allowed: readonly number[] = [STATUS.ok]) => {
      if (allowed.includes(status)) return;
      throw new Error(`${what} of ${unc}: status 0x${status.toString(16)}`);
    };
    must("negotiation", await this.#ask("negotiate", messages.negotiate()));
    for (const token of [messages.ntlmNegotiate(), messages.ntlmAnonymous()]) {
      const answer = await this.#ask("sessionSetup", messages.sessionSetup(token));
      must("log-on", answer, SESSION_TOKEN_STATUS_OK);
      this.#sessionId = bytes(answer.packet, SESSION_AT, 8);
    }
    const tree = await this.#ask("treeConnect", messages.treeConnect(unc));
    must("tree connect", tree);
    this.#treeId = tree.packet.getUint32(TREE_AT, true);
  }

  async #ask(command: keyof typeof messages.COMMANDS, body: Uint8Array): Promise<Answer> {
    const header = {
      command: messages.COMMANDS[command],
      messageId: this.#messageId,
      treeId: this.#treeId,
      sessionId: this.#sessionId,
    };
    this.#messageId += 1;
    this.#socket.write(messages.frame(header, body));
    for (;;) {
      const packet = await this.#packet();
      const status = packet.getUint32(STATUS_AT, true);
      // "It takes a while": the real answer follows.
      if (status !== STATUS.pending) return { status, packet };
    }
  }

  async #packet(): Promise<DataView> {
    for (;;) {
      const length = this.#received.length < 4 ? undefined : this.#received.readUInt32BE(0);
      if (length !== undefined && this.#received.length >= 4 + length) {
        const packet = new Uint8Array(this.#received.subarray(4, 4 + length));
        this.#received = this.#received.subarray(4 + length);
        return new DataView(packet.buffer);
      }
      if (this.#broken !== undefined) throw this.#broken;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Tells the end of the connection, also while nothing is asked. */
  onBroken(action: (error: Error) => void): void {
    this.#tell = action;
    if (this.#broken !== undefined) action(this.#broken);
  }

  #end(error: Error): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#tell(error);
    this.#wake();
  }
}

function bytes(packet: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(packet.buffer.slice(at, at + length));
}
