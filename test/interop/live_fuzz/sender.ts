/**
 * Sends packets to one socket of a node and sees how they are taken.
 *
 * Packets that the node should handle share a connection; one that it should refuse ends it, and the node
 * must close it in time. Where the answer would be ambiguous (dropped, or never complete) a packet has a
 * connection of its own, which we end. So every refusal is seen as exactly one event.
 */
import type { Socket } from "node:net";
import { EMPTY } from "../../../src/wire/codec.ts";
import { within } from "../../support/until.ts";
import type { Expectation } from "./expectation.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** For a connection that the node should close: far more than it ever needs. */
const CLOSE_TIMEOUT_MS = 5_000;
const SHARED_PACKETS_MAX = 40;
const RECENT_PACKETS = 200;

export class Sender {
  /** Connections that the node closed, and packets that it should have counted without that. */
  refusals = 0;
  sent = 0;
  /** The last packets, newest last, for the report of a failure. */
  readonly recent: Uint8Array[] = [];
  readonly #open: () => Socket;
  readonly #introduction: Uint8Array;
  #socket: Socket | undefined;
  #closed: Promise<void> = Promise.resolve();
  #shared = 0;
  /** The end of the connection is our own doing. */
  #ending = false;

  /** `introduction` is the first packet of each connection, which is not counted. */
  constructor(open: () => Socket, introduction: Uint8Array = EMPTY) {
    this.#open = open;
    this.#introduction = introduction;
  }

  async send(bytes: Uint8Array, { dropped, end }: Expectation): Promise<void> {
    this.sent += 1;
    this.recent.push(bytes);
    if (this.recent.length > RECENT_PACKETS) this.recent.shift();
    const alone = dropped > 0 || end === "incomplete";
    if (alone) await this.end();
    await this.#write(bytes);
    this.refusals += dropped;
    if (end === "refused") {
      await within(
        "the node closes the connection of a refused packet",
        CLOSE_TIMEOUT_MS,
        this.#closed,
      );
      return;
    }
    this.#shared += 1;
    if (alone || this.#shared >= SHARED_PACKETS_MAX) await this.end();
  }

  /** Ends the connection; when this returns the node has handled everything that came on it. */
  async end(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#ending = true;
    socket.end();
    await within("the node closes a connection that we ended", CLOSE_TIMEOUT_MS, this.#closed);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket ?? (await this.#connect());
    if (socket.write(bytes)) return;
    const drained = new Promise<void>((resolve) => socket.once("drain", resolve));
    await within("the node reads", CLOSE_TIMEOUT_MS, Promise.race([drained, this.#closed]));
  }

  async #connect(): Promise<Socket> {
    const socket = this.#open();
    const connected = new Promise<void>((resolve, reject) => {
      socket.once("connect", () => resolve());
      socket.once("error", reject);
    });
    await within("the node accepts a connection", CONNECT_TIMEOUT_MS, connected);
    socket.on("error", () => {});
    socket.resume();
    this.#ending = false;
    this.#shared = 0;
    this.#socket = socket;
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => {
        if (!this.#ending) this.refusals += 1;
        this.#socket = undefined;
        resolve();
      });
    });
    // The node says nothing when it closes; only reading shows it.
    socket.once("end", () => socket.end());
    if (this.#introduction.length > 0) socket.write(this.#introduction);
    return socket;
  }
}
