/** The addresses of this machine, as the kernel lists them; undefined when it does not. */
import type { Network } from "../../platform/types/network.ts";

export function localAddresses(
  network: Pick<Network, "interfaces">,
): ReadonlySet<string> | undefined {
  const interfaces = network.interfaces();
  if (!interfaces.ok) return undefined;
  return new Set(
    interfaces.value.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
  );
}
