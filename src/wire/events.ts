/** The names of events and the arguments of their scripts (docs/protocol.md, "Events"). */

/** Every event, and what its scripts are told, in this order. */
export interface EventArguments {
  readonly init: readonly [];
  readonly setup: readonly [];
  readonly startup: readonly [];
  readonly startrecovery: readonly [];
  readonly recovered: readonly [];
  readonly takeip: readonly [networkInterface: string, address: string, prefixLength: string];
  readonly releaseip: readonly [networkInterface: string, address: string, prefixLength: string];
  readonly updateip: readonly [from: string, to: string, address: string, prefixLength: string];
  readonly monitor: readonly [];
  readonly shutdown: readonly [];
  readonly startipreallocate: readonly [];
  readonly ipreallocated: readonly [];
}

export type EventName = keyof EventArguments;
