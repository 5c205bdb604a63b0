/** The addresses and interfaces of this machine, as the kernel lists them; undefined when it does not. */
import type { Network } from "../../platform/types/network.ts";
import type { InterfaceLookup } from "./host.ts";

export function localAddresses(
  network: Pick<Network, "interfaces">,
): ReadonlySet<string> | undefined {
  const interfaces = network.interfaces();
  if (!interfaces.ok) return undefined;
  return new Set(
    interfaces.value.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
  );
}

export function interfaceLookup(
  network: Pick<Network, "interfaces" | "hasInterface">,
): InterfaceLookup | undefined {
  const interfaces = network.interfaces();
  if (!interfaces.ok) return undefined;
  const names = new Set(interfaces.value.map(({ name }) => name));
  return (name) => names.has(name) || network.hasInterface(name);
}
