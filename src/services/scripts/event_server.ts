/**
 * The event daemon's socket: requests of any number of programs, answered when their event has ended.
 *
 * A request that does not decode ends its connection, and nothing else; so does a client that goes: what it asked for
 * still runs.
 */
import type { Logger } from "../../base/log.ts";
import type { Result } from "../../base/result.ts";
import type { FileSystem } from "../../platform/types/files.ts";
import type { Network } from "../../platform/types/network.ts";
import { ClientLinks } from "../../transport/client_links.ts";
import type { PacketLink } from "../../transport/packet_link.ts";
import type { Turns } from "../../transport/turns.ts";
import { decodeEventRequest, encodeEventReply } from "../../wire/event_protocol.ts";
import { PacketView } from "../../wire/packet.ts";
import { EVENT_CLIENTS_MAX } from "../limits.ts";
import type { EventCommands } from "./event_commands.ts";

export interface EventServerOptions {
  readonly network: Network;
  readonly files: FileSystem;
  readonly turns: Turns;
  readonly socket: string;
  readonly log: Logger;
  readonly commands: EventCommands;
}

export class EventServer {
  readonly #options: EventServerOptions;
  readonly #links: ClientLinks;
  #clients = 0;

  constructor(options: EventServerOptions) {
    const { network, files, turns, socket, log } = options;
    this.#options = options;
    this.#links = new ClientLinks(network, files, turns, socket, log, "events");
  }

  /** With the reason when somebody else listens there, or it cannot be made. */
  start(started: (outcome: Result<void>) => void): void {
    this.#links.clearStaleSocket((outcome) =>
      started(outcome.ok ? this.#links.listen((pid) => this.#accept(pid)) : outcome),
    );
  }

  close(): void {
    this.#links.close();
    this.#options.commands.close();
  }

  #accept(pid: number) {
    if (this.#clients >= EVENT_CLIENTS_MAX) {
      this.#options.log.error(`Program ${pid} is refused: ${EVENT_CLIENTS_MAX} are connected`);
      return undefined;
    }
    this.#clients += 1;
    let link: PacketLink | undefined;
    const gone = (): void => {
      this.#clients -= 1;
      link = undefined;
    };
    return {
      owner: {
        onPacket: (packet: PacketView) => {
          const reason = this.#handle(packet, (bytes) => link?.send(bytes));
          if (reason === undefined || link === undefined) return;
          this.#options.log.error(`Invalid packet of program ${pid}: ${reason}`);
          link.close();
          gone();
        },
        onClosed: (reason: string, malformed: boolean) => {
          if (malformed) this.#options.log.error(`Invalid packet of program ${pid}: ${reason}`);
          gone();
        },
        onRelieved() {},
      },
      connect: (connected: PacketLink) => {
        link = connected;
      },
    };
  }

  /** The reason when it is no request. */
  #handle(packet: PacketView, send: (reply: PacketView) => void): string | undefined {
    const request = decodeEventRequest(packet.bytes());
    if (!request.ok) return request.error;
    const { reqid, body } = request.value;
    this.#options.commands.handle(body, (reply) => send(packetOf(encodeEventReply(reqid, reply))));
    return undefined;
  }
}

function packetOf(bytes: Uint8Array): PacketView {
  const packet = new PacketView();
  packet.moveTo(bytes, 0, bytes.length);
  return packet;
}
