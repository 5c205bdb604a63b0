/** Who is told that a packet about a record was not served. */
import type { PacketView } from "../wire/packet.ts";
import { REQ_DMASTER_AT } from "../wire/packet_layouts.ts";
import type { DatabaseHost } from "./host.ts";
import type { PendingCalls } from "./pending_calls.ts";
import type { Replies } from "./replies.ts";

/** Packets of nodes that name a database and a key. */
export type KeyedOperation = "REQ_CALL" | "REQ_DMASTER" | "REPLY_DMASTER";

interface NodeRefusalParts {
  readonly host: Pick<DatabaseHost, "log">;
  readonly replies: Replies;
  readonly pending: PendingCalls;
}

export class NodeRefusals {
  readonly #parts: NodeRefusalParts;

  constructor(parts: NodeRefusalParts) {
    this.#parts = parts;
  }

  /** The node whose client waits is told; its request id is known to nobody else. */
  send(operation: KeyedOperation, packet: PacketView, message: string): void {
    switch (operation) {
      case "REQ_CALL":
        this.#parts.replies.errorToNode(packet.srcnode, packet.reqid, message);
        return;
      case "REQ_DMASTER":
        this.#parts.replies.errorToNode(packet.u32(REQ_DMASTER_AT.DMASTER), packet.reqid, message);
        return;
      case "REPLY_DMASTER": {
        this.#parts.host.log.error(message);
        const pending = this.#parts.pending.find(packet.reqid);
        if (pending !== undefined) this.#parts.pending.finishWithError(pending, message);
      }
    }
  }
}
