/**
 * The cluster as one node saw it: from the last `state` event that is known, and what its journal says since.
 *
 * Invariants:
 * 1. A `state` event says everything; other events change what they name, and nothing else.
 */
import type { JournalDatabase } from "../../base/journal_event.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { KeptEvent, KeptKind } from "../types.ts";

/** Events that change a view; of others only the last is looked at. */
export const VIEW_KINDS: readonly KeptKind[] = [
  "state",
  "process_started",
  "process_ended",
  "shutdown",
  "link_up",
  "link_down",
  "flags",
  "nodes_file",
  "leader",
  "recovery_mode",
  "recovery_ended",
  "address_assigned",
  "address_taken",
  "address_released",
  "database_attached",
  "database_detached",
  "gap",
];

export class NodeView {
  readonly node: number;
  /** Its ctdbd ran, as far as its own journal says. */
  running = true;
  recovering = false;
  generation: number | null = null;
  leader: number | null = null;
  /** A `state` event was seen: what is not here was not there. */
  isWhole = false;
  readonly addressOf = new Map<number, string>();
  readonly flagsOf = new Map<number, number>();
  readonly hostOf = new Map<string, number | null>();
  readonly databases = new Map<string, JournalDatabase>();

  constructor(node: number) {
    this.node = node;
  }

  apply({ event }: KeptEvent): void {
    switch (event.kind) {
      case "state":
        this.#begin(event);
        return;
      case "process_started":
        if (event.process === "ctdbd") this.running = true;
        return;
      case "process_ended":
        if (event.process === "ctdbd") this.running = false;
        return;
      case "shutdown":
        this.running = false;
        return;
      case "link_up":
        this.#setFlags(event.peer, (flags) => flags & ~NODE_FLAGS.DISCONNECTED);
        return;
      case "link_down":
        this.#setFlags(event.peer, (flags) => flags | NODE_FLAGS.DISCONNECTED);
        return;
      case "flags":
        this.flagsOf.set(event.target, event.after);
        return;
      case "nodes_file":
        for (const node of event.added) this.flagsOf.set(node, NODE_FLAGS.DISCONNECTED);
        for (const node of event.removed) {
          this.#setFlags(node, (flags) => flags | NODE_FLAGS.DELETED);
        }
        return;
      case "leader":
        this.leader = event.after;
        return;
      case "recovery_mode":
        this.recovering = event.active;
        this.generation = event.generation;
        return;
      case "recovery_ended":
        if (event.succeeded) this.generation = event.generation;
        return;
      case "address_assigned":
        this.hostOf.set(event.address, event.to);
        return;
      case "address_taken":
        if (event.failure === null) this.hostOf.set(event.address, this.node);
        return;
      case "address_released":
        if (this.hostOf.get(event.address) === this.node) this.hostOf.set(event.address, null);
        return;
      case "database_attached": {
        const { name, id, type } = event;
        this.databases.set(name, { name, id, kind: type });
        return;
      }
      case "database_detached":
        this.databases.delete(event.name);
        return;
      default:
        return;
    }
  }

  get ownFlags(): number {
    return this.flagsOf.get(this.node) ?? 0;
  }

  #begin(state: Extract<KeptEvent["event"], { readonly kind: "state" }>): void {
    this.isWhole = true;
    this.running = true;
    this.recovering = state.recovering;
    this.generation = state.generation;
    this.leader = state.leader;
    for (const map of [this.addressOf, this.flagsOf, this.hostOf, this.databases]) map.clear();
    for (const { node, address, flags } of state.nodes) {
      this.addressOf.set(node, address);
      this.flagsOf.set(node, flags);
    }
    for (const { address, node } of state.addresses) this.hostOf.set(address, node);
    for (const database of state.databases) this.databases.set(database.name, database);
  }

  #setFlags(node: number, change: (flags: number) => number): void {
    this.flagsOf.set(node, change(this.flagsOf.get(node) ?? 0));
  }
}
