/** The events of public addresses, as whoever runs event scripts takes them (docs/protocol.md, "Events"). */
import type { EventArguments } from "../../wire/events.ts";

/**
 * Runs one; `done` comes once, later, with 0 or an errno number. A hung takeip or releaseip counts as a success: whether
 * the address is there is asked of the kernel. `why`: what made it fail, in words, when that is known.
 */
export type AddressEvents = <N extends "takeip" | "releaseip" | "updateip">(
  event: N,
  args: EventArguments[N],
  done: (status: number, why?: string) => void,
) => void;
