/**
 * A connection to the event daemon: requests by number, and their replies.
 *
 * Invariants:
 * 1. The `done` of a request comes once: with the reply, or with the reason why there is none. Not inside `request()`,
 *    and not after `close()`.
 * 2. A reply to nothing that was asked, or one that does not decode, ends the connection: the two do not speak the same
 *    language.
 */
import { errnoOf } from "../base/errno.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ConnectCallback, Stream } from "../platform/types/network.ts";
import type { Timer } from "../platform/types/time.ts";
import { PacketLink } from "../transport/packet_link.ts";
import type { Turns } from "../transport/turns.ts";
import {
  decodeEventReply,
  type EventReply,
  type EventRequest,
  encodeEventRequest,
} from "../wire/event_protocol.ts";
import { PacketView } from "../wire/packet.ts";
import {
  EVENT_QUEUE_CONGESTED_BYTES,
  EVENT_QUEUE_RELIEVED_BYTES,
  EVENT_REPLY_BYTES_MAX,
} from "./limits.ts";

/** All events of a node are in this one. */
export const EVENT_COMPONENT = "legacy";

type ReplyDone = (reply: Result<EventReply>) => void;

export class EventConnection {
  readonly #link: PacketLink;
  readonly #lost: (reason: string) => void;
  readonly #asked = new Map<number, ReplyDone>();
  #lastReqid = 0;

  constructor(stream: Stream, turns: Turns, lost: (reason: string) => void) {
    this.#lost = lost;
    this.#link = new PacketLink(
      stream,
      turns,
      {
        onPacket: (packet) => this.#take(packet),
        onClosed: (reason) => this.#end(reason),
        onRelieved() {},
      },
      {
        name: "event-daemon",
        mode: "event",
        congestedBytes: EVENT_QUEUE_CONGESTED_BYTES,
        relievedBytes: EVENT_QUEUE_RELIEVED_BYTES,
        packetBytesMax: EVENT_REPLY_BYTES_MAX,
      },
    );
  }

  get handlers() {
    return this.#link.handlers;
  }

  request(request: EventRequest, done: ReplyDone): void {
    this.#lastReqid = (this.#lastReqid + 1) >>> 0;
    this.#asked.set(this.#lastReqid, done);
    const bytes = encodeEventRequest(this.#lastReqid, request);
    const packet = new PacketView();
    packet.moveTo(bytes, 0, bytes.length);
    this.#link.send(packet);
  }

  close(): void {
    this.#asked.clear();
    this.#link.close();
  }

  #take(packet: PacketView): void {
    const reply = decodeEventReply(packet.bytes());
    const done = reply.ok ? this.#asked.get(reply.value.reqid) : undefined;
    if (!reply.ok || done === undefined) {
      this.#link.close();
      this.#end(reply.ok ? `a reply to request ${reply.value.reqid}, which is none` : reply.error);
      return;
    }
    this.#asked.delete(reply.value.reqid);
    done(ok(reply.value.body));
  }

  #end(reason: string): void {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const done of asked) done(err(reason));
    this.#lost(reason);
  }
}

export interface EventConnector {
  connectUnix(path: string, connected: ConnectCallback): Timer;
}

/** `connected` with an errno when there is no way; `lost` when the connection ends by itself. */
export function connectEvents(
  connector: EventConnector,
  turns: Turns,
  socket: string,
  connected: (connection: Result<EventConnection, number>) => void,
  lost: (reason: string) => void,
): Timer {
  return connector.connectUnix(socket, (outcome) => {
    if (!outcome.ok) {
      connected(err(errnoOf(outcome.error)));
      return undefined;
    }
    const connection = new EventConnection(outcome.value, turns, lost);
    // Served before anything is sent.
    turns.run("event-daemon", () => connected(ok(connection)));
    return connection.handlers;
  });
}
