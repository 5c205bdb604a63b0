/** What the public addresses of a node need of the node. */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { U64 } from "../../base/u64.ts";
import type { ArpNetwork, RawNetwork } from "../../platform/types/raw_network.ts";
import type { Clock, Timers } from "../../platform/types/time.ts";
import type { AddressEvents } from "./events.ts";

/** Whether this machine has an interface with this name or alternative name. */
export type InterfaceLookup = (name: string) => boolean;

export interface AddressHost {
  readonly ownPnn: number;
  readonly log: Logger;
  readonly journal: Journal;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  /** undefined: nothing can be announced. */
  readonly rawNetwork: (RawNetwork & ArpNetwork) | undefined;
  /** False where nodes of a test share a machine: nothing moves when an address does. */
  readonly announcesTaken: boolean;
  /**
   * Addresses of this machine, which the kernel tells. undefined: it is not asked (nodes of a test share a machine, no
   * addresses are moved) or does not say, and what we did ourselves counts.
   */
  localAddresses(): ReadonlySet<string> | undefined;
  /** undefined: the interfaces of this machine cannot be listed. */
  interfaceLookup(): InterfaceLookup | undefined;
  /** This node is healthy, enabled and running: addresses may come to it. */
  mayHost(): boolean;
  /** Why no address may be taken now, whoever says so. */
  reasonNotToTake(): string | undefined;
  /** The node is stopped, banned or ends: it hosts nothing. */
  mustNotHost(): boolean;
  readonly runEvent: AddressEvents;
  /** A text to the clients of this node. */
  tellClients(srvid: U64, text: string): void;
  banOurselves(reason: string): void;
}
