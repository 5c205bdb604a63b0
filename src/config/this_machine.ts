/**
 * What configuration says of the machine that it is on: which address of the nodes list is its own, and which interfaces it
 * has for public addresses. Both may change by themselves, so that files are not wrong because of it.
 */
import type { NetworkInterface } from "../platform/types/network.ts";
import type { ConfiguredPublicAddress } from "./public_addresses.ts";

/** 127.0.0.0/8 is on the interface that has its first address, though it lists no other. */
const LOOPBACK = "127.0.0.1";

export interface ThisMachine {
  readonly interfaces: readonly NetworkInterface[];
  hasInterface(name: string): boolean;
}

/** The interface that has the address; undefined when none has. */
export function holderOf(
  interfaces: readonly NetworkInterface[],
  address: string,
): string | undefined {
  const wanted = address.startsWith("127.") ? LOOPBACK : address;
  return interfaces.find(({ addresses }) => addresses.some((each) => each.address === wanted))
    ?.name;
}

/** Why ctdbd would not know which node it is; `nodes` are the addresses of the nodes list. */
export function ownAddressProblem(
  interfaces: readonly NetworkInterface[],
  nodes: readonly string[],
  nodeAddress: string | undefined,
): string | undefined {
  const wanted = nodeAddress === undefined ? nodes : [nodeAddress];
  if (wanted.length === 0 || wanted.some((address) => holderOf(interfaces, address))) {
    return undefined;
  }
  return nodeAddress === undefined
    ? `None of the nodes' addresses is on this machine: ${nodes.join(", ")}`
    : `The node address "${nodeAddress}" of ctdb.conf is not on this machine`;
}

/** Names of interfaces of public addresses, each once. */
export function missingInterfaces(
  publicAddresses: readonly ConfiguredPublicAddress[],
  { hasInterface }: Pick<ThisMachine, "hasInterface">,
): readonly string[] {
  const names = new Set(publicAddresses.flatMap(({ interfaces }) => interfaces));
  return [...names].filter((name) => !hasInterface(name));
}

export function missingInterfaceText(name: string): string {
  return `There is no interface "${name}", which has public addresses`;
}
