/**
 * Which nodes still have databases frozen for a local client. A tool that writes a database anew freezes it on all active
 * nodes; when it is killed, nobody else would thaw it, since no node but the client's own knows that it has gone. A recovery
 * does, and loses nothing.
 *
 * Invariants:
 * 1. A freeze counts from the moment in which it is sent on: it may come true after its client has gone.
 * 2. One of an earlier generation counts no more: the recovery that began the present one thaws it.
 */
import { decodeExact } from "../wire/codec.ts";
import { CONTROLS } from "../wire/controls.ts";
import type { PacketView } from "../wire/packet.ts";
import { REQ_CONTROL_AT } from "../wire/packets/layouts.ts";
import { FROZEN_DATABASES_PER_NODE_MAX } from "./limits.ts";

interface Freezes {
  generation: number;
  /** Databases by node. */
  readonly byNode: Map<number, Set<number>>;
}

export class ClientFreezes {
  readonly #byClient = new Map<number, Freezes>();

  /** A control of a client is on its way to a node; `generation` is the present one. */
  note(clientId: number, pnn: number, packet: PacketView, generation: number): void {
    const opcode = packet.u32(REQ_CONTROL_AT.OPCODE);
    if (opcode !== CONTROLS.DB_FREEZE.opcode && opcode !== CONTROLS.DB_THAW.opcode) return;
    const data = packet.slice(REQ_CONTROL_AT.DATA, packet.u32(REQ_CONTROL_AT.DATA_LENGTH));
    const dbId = decodeExact(CONTROLS.DB_FREEZE.request, data);
    if (!dbId.ok) return;
    if (opcode === CONTROLS.DB_FREEZE.opcode) this.#add(clientId, pnn, dbId.value, generation);
    else this.#delete(clientId, pnn, dbId.value);
  }

  /** Nodes that the client leaves with a frozen database. */
  clientGone(clientId: number, generation: number): readonly number[] {
    const freezes = this.#byClient.get(clientId);
    this.#byClient.delete(clientId);
    return freezes?.generation === generation ? [...freezes.byNode.keys()] : [];
  }

  #add(clientId: number, pnn: number, dbId: number, generation: number): void {
    let freezes = this.#byClient.get(clientId);
    if (freezes?.generation !== generation) {
      freezes = { generation, byNode: new Map() };
      this.#byClient.set(clientId, freezes);
    }
    const databases = freezes.byNode.get(pnn) ?? new Set();
    freezes.byNode.set(pnn, databases);
    if (databases.size < FROZEN_DATABASES_PER_NODE_MAX) databases.add(dbId);
  }

  #delete(clientId: number, pnn: number, dbId: number): void {
    const freezes = this.#byClient.get(clientId);
    const databases = freezes?.byNode.get(pnn);
    if (freezes === undefined || databases?.delete(dbId) !== true || databases.size > 0) return;
    freezes.byNode.delete(pnn);
    if (freezes.byNode.size === 0) this.#byClient.delete(clientId);
  }
}
