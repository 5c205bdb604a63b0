/**
 * What control/ needs of the node whose controls it carries. The daemon's node table, output and clients are
 * this without knowing it; tests may use less.
 */
import type { PacketView } from "../wire/packet.ts";

export interface ControlNodes {
  readonly ownPnn: number;
  connected(pnn: number): boolean;
}

/** What is sent is copied before the call returns. */
export interface ControlOutput {
  /** pnns of a broadcast destination; undefined when it is not one. */
  broadcastTargets(destination: number): readonly number[] | undefined;
  /** To one node; to ourselves it comes back in a later turn. Dropped when the node is not connected. */
  send(pnn: number, packet: PacketView): void;
  /** To a node or a broadcast destination. */
  sendTo(destination: number, packet: PacketView): void;
}

/** A local client that asks. */
export interface ControlClient {
  readonly id: number;
  /** 0 when the system does not tell. */
  readonly pid: number;
  /** Controls of it that are not answered; counted here. */
  pendingControls: number;
  /** Above the limit of unanswered controls it is not read from. */
  readonly link: { hold(): void; release(): void };
  deliver(packet: PacketView): void;
}

export interface ControlClients {
  get(id: number): ControlClient | undefined;
}

/** The counters of ctdb_statistics that controls move. */
export interface ControlCounters {
  readonly node: { req_control: number; reply_control: number };
  readonly timeouts: { control: number };
}
