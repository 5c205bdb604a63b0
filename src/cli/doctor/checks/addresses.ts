/** Checks of public addresses, and of the interfaces that they are on. */
import { NODE_FLAGS_HOSTS_NOTHING } from "../../../wire/constants.ts";
import { type Check, cluster, when } from "../check.ts";
import type { ClusterFacts, Facts } from "../facts.ts";
import { difference } from "./nodes.ts";
import { isOwnAddress } from "./own_addresses.ts";

export const ADDRESS_CHECKS: readonly Check[] = [
  cluster(
    {
      id: "address-unassigned",
      severity: "error",
      examines: "that every public address is on a node",
      why: "clients that use this address reach nobody",
      remedy:
        "is a node healthy that could have it (ctdb ip all, ctdb status -v)? Then: ctdb ipreallocate",
    },
    (known) =>
      assignments(known)
        .filter(({ hosts }) => hosts.length === 0)
        .map(({ address }) => `The public address ${address} is on no node`),
  ),
  cluster(
    {
      id: "address-on-two-nodes",
      severity: "error",
      examines: "that no public address is on two nodes",
      why: "clients reach now one, now the other, and lose their connections",
      remedy: "ctdb ipreallocate; look in the logs for a release that failed",
    },
    (known) =>
      assignments(known)
        .filter(({ hosts }) => hosts.length > 1)
        .map(
          ({ address, hosts }) => `The public address ${address} is on nodes ${hosts.join(", ")}`,
        ),
  ),
  cluster(
    {
      id: "addresses-on-one-node",
      severity: "warning",
      examines: "that public addresses are not all on one of several healthy nodes",
      why: "one node does the work of all",
      remedy: "is NoIPFailback set, are addresses moved by hand? ctdb ipreallocate spreads them",
    },
    allOnOne,
  ),
  cluster(
    {
      id: "address-not-on-interface",
      severity: "error",
      examines: "that addresses that this node hosts, and no others, are on its interfaces",
      why: "what the cluster believes and what clients reach are two things",
      remedy:
        "ctdb ipreallocate; look at the output of 10.interface: ctdb event status legacy ipreallocated",
    },
    strayAddresses,
  ),
  cluster(
    {
      id: "public-addresses-differ",
      severity: "warning",
      examines: "that all nodes have the same public addresses",
      why: "an address that only some nodes know can move to those only",
      remedy: "make public_addresses the same on all nodes, then: ctdb reloadips all",
    },
    ({ nodes }) =>
      difference(nodes, "public addresses", ({ publicIps }) =>
        publicIps
          ?.map(({ address }) => address)
          .sort()
          .join(" "),
      ),
  ),
  cluster(
    {
      id: "interface-down",
      severity: "warning",
      examines: "that interfaces of public addresses have a link, on every node",
      why: "a node hosts no addresses of an interface without link, and is unhealthy when none is left",
      remedy: "look at the cable and the switch: ctdb ifaces, ip link",
    },
    ({ nodes }) =>
      nodes.flatMap(({ pnn, interfaces }) =>
        (interfaces ?? [])
          .filter(({ up }) => !up)
          .map(({ name }) => `The interface "${name}" of node ${pnn} has no link`),
      ),
  ),
];

interface Assignment {
  readonly address: string;
  /** Who says itself that it has the address; of a node that is silent, what others say. */
  readonly hosts: readonly number[];
}

function assignments({ nodes }: ClusterFacts): readonly Assignment[] {
  const silent = new Set(nodes.filter(({ state }) => state === "silent").map(({ pnn }) => pnn));
  const hosts = new Map<string, Set<number>>();
  for (const { pnn: teller, publicIps, flags } of nodes) {
    for (const { address, pnn } of publicIps ?? []) {
      const known = hosts.get(address) ?? new Set();
      hosts.set(address, known);
      if ((pnn === teller && (flags & NODE_FLAGS_HOSTS_NOTHING) === 0) || silent.has(pnn)) {
        known.add(pnn);
      }
    }
  }
  return [...hosts].map(([address, pnns]) => ({ address, hosts: [...pnns] }));
}

function allOnOne(known: ClusterFacts): readonly string[] {
  const assigned = assignments(known).flatMap(({ address, hosts }) =>
    hosts.map((pnn) => ({ address, pnn })),
  );
  const [first] = assigned;
  const fit = known.nodes.filter(
    ({ flags, publicIps }) => flags === 0 && publicIps !== undefined && publicIps.length > 1,
  );
  return when(
    assigned.length > 1 && fit.length > 1 && assigned.every(({ pnn }) => pnn === first?.pnn),
    () =>
      `All ${assigned.length} public addresses are on node ${first?.pnn} of ${fit.length} healthy nodes`,
  );
}

/** Where failover is disabled somebody else puts addresses where they belong. */
function strayAddresses(known: ClusterFacts, { local }: Facts): readonly string[] {
  if (local.config.failover.disabled) return [];
  const own = known.nodes.find(({ pnn }) => pnn === known.own);
  return (own?.publicIps ?? []).flatMap(({ address, pnn }) => {
    const isHere = isOwnAddress(local, address);
    return [
      ...when(
        pnn === known.own && !isHere,
        () => `This node hosts ${address}, which is on none of its interfaces`,
      ),
      ...when(
        pnn !== known.own && isHere,
        () => `This node does not host ${address}, which is on one of its interfaces`,
      ),
    ];
  });
}
