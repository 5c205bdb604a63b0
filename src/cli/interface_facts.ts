/** A network interface as documents of --json have it. */
import type { ControlReplyOf } from "../wire/controls.ts";
import type { InterfaceFacts } from "./schemas/addresses.ts";

type NetworkInterface = ControlReplyOf<"GET_IFACES">[number];

export function interfaceFacts({ name, link_state, references }: NetworkInterface): InterfaceFacts {
  return { name, link_up: link_state !== 0, references };
}
