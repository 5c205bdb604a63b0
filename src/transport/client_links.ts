/**
 * A unix socket on which local clients connect, or the node's own recovery daemon and recovery helper: on a
 * socket of their own these neither queue behind clients nor wait for descriptors that clients have taken. The
 * event daemon's socket is another.
 *
 * A socket file that a dead daemon left behind is replaced; one that somebody answers on is not.
 */
import type { Logger } from "../base/log.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { FileSystem } from "../platform/types/files.ts";
import type { Network, Stream, StreamHandlers, StreamServer } from "../platform/types/network.ts";
import { acceptNotices } from "./accept_notices.ts";
import {
  CLIENT_QUEUE_CONGESTED_BYTES,
  CLIENT_QUEUE_RELIEVED_BYTES,
  EVENT_REQUEST_BYTES_MAX,
} from "./limits.ts";
import { PacketLink, type PacketLinkOptions, type PacketLinkOwner } from "./packet_link.ts";
import type { Turns } from "./turns.ts";

/** Asked for each connection; undefined refuses it. `connect` gives the link to its owner. */
export type ClientAcceptor = (peerPid: number) =>
  | {
      readonly owner: PacketLinkOwner;
      connect(link: PacketLink): void;
    }
  | undefined;

const SOCKET_MODE = 0o700;
const REFUSED: StreamHandlers = { onData() {}, onDrain() {}, onClose() {} };

const CLIENT_LINK: PacketLinkOptions = {
  name: "client-packets",
  mode: "client",
  congestedBytes: CLIENT_QUEUE_CONGESTED_BYTES,
  relievedBytes: CLIENT_QUEUE_RELIEVED_BYTES,
};
const KINDS = {
  clients: { whom: "local clients", acceptedFor: "clients", link: CLIENT_LINK },
  node: { whom: "the recovery daemon", acceptedFor: "node", link: CLIENT_LINK },
  events: {
    whom: "programs that run events",
    acceptedFor: "clients",
    link: { ...CLIENT_LINK, mode: "event", packetBytesMax: EVENT_REQUEST_BYTES_MAX },
  },
} as const;
export type ClientKind = keyof typeof KINDS;

export class ClientLinks {
  readonly #network: Network;
  readonly #files: FileSystem;
  readonly #turns: Turns;
  readonly #path: string;
  readonly #log: Logger;
  readonly #kind: ClientKind;
  #server: StreamServer | undefined;

  constructor(
    network: Network,
    files: FileSystem,
    turns: Turns,
    path: string,
    log: Logger,
    kind: ClientKind = "clients",
  ) {
    this.#kind = kind;
    this.#network = network;
    this.#files = files;
    this.#turns = turns;
    this.#path = path;
    this.#log = log;
  }

  /** Removes a socket file on which nobody listens; refuses when somebody does. */
  clearStaleSocket(done: (outcome: Result<void>) => void): void {
    if (!this.#files.exists(this.#path)) {
      this.#turns.timers("start").soon(() => done(ok(undefined)));
      return;
    }
    this.#network.connectUnix(this.#path, (outcome) =>
      this.#turns.run("start", () => {
        if (outcome.ok) {
          outcome.value.close();
          done(err(`${this.#cannot()}: another daemon listens there`));
          return REFUSED;
        }
        const removed = this.#files.remove(this.#path);
        done(removed.ok ? removed : err(`${this.#cannot()}: ${removed.error.message}`));
        return undefined;
      }),
    );
  }

  listen(accept: ClientAcceptor): Result<void> {
    const server = this.#network.listenUnix(
      this.#path,
      SOCKET_MODE,
      (stream) => this.#turns.run("client-accept", () => this.#accepted(stream, accept)),
      acceptNotices(this.#log, KINDS[this.#kind].whom),
      KINDS[this.#kind].acceptedFor,
    );
    if (!server.ok) return err(`${this.#cannot()}: ${server.error.message}`);
    this.#server = server.value;
    return ok(undefined);
  }

  #accepted(stream: Stream, accept: ClientAcceptor): StreamHandlers {
    const accepted = accept(stream.peer?.pid ?? 0);
    if (accepted === undefined) {
      stream.close();
      return REFUSED;
    }
    const { link: options } = KINDS[this.#kind];
    const link = new PacketLink(stream, this.#turns, accepted.owner, options);
    accepted.connect(link);
    return link.handlers;
  }

  close(): void {
    if (this.#server === undefined) return;
    this.#server.close();
    this.#server = undefined;
    this.#files.remove(this.#path);
  }

  #cannot(): string {
    return `Cannot listen on unix socket "${this.#path}"`;
  }
}
