/**
 * What follows when a packet about a record was not served.
 *
 * Invariant: a record that was on its way and is not taken forces a recovery. Its former data master
 * has written down that it gave it away, so nobody else would look for it there.
 */
import { REQ_DMASTER_AT } from "../../wire/packets/layouts.ts";
import type { DatabaseHost } from "../host.ts";
import type { PendingCalls } from "./pending_calls.ts";
import type { RecordPacket } from "./record_packet.ts";
import type { Replies } from "./replies.ts";

/** A packet about a record, also of a database that is not here. */
type Refused = Pick<RecordPacket, "operation" | "packet">;

interface NodeRefusalParts {
  readonly host: Pick<DatabaseHost, "forceRecovery">;
  readonly replies: Replies;
  readonly pending: PendingCalls;
}

export class NodeRefusals {
  readonly #parts: NodeRefusalParts;

  constructor(parts: NodeRefusalParts) {
    this.#parts = parts;
  }

  /** The packet was not served; of a record that it carries nobody is data master now. */
  send(refused: Refused, message: string): void {
    if (refused.operation !== "REQ_CALL") {
      this.#parts.host.forceRecovery(`a record is on its way to nobody: ${message}`);
    }
    this.tell(refused, message);
  }

  /** The node whose client waits is told; its request id is known to nobody else. */
  tell({ operation, packet }: Refused, message: string): void {
    switch (operation) {
      case "REQ_CALL":
        this.#parts.replies.errorToNode(packet.srcnode, packet.reqid, message);
        return;
      case "REQ_DMASTER":
        this.#parts.replies.errorToNode(packet.u32(REQ_DMASTER_AT.DMASTER), packet.reqid, message);
        return;
      case "REPLY_DMASTER": {
        const pending = this.#parts.pending.find(packet.reqid);
        if (pending !== undefined) this.#parts.pending.finishWithError(pending, message);
      }
    }
  }
}
