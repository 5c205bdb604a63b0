/** Checks of what the node is configured with. */
import { problemText } from "../../../config/problems.ts";
import { holderOf, missingInterfaceText, ownAddressProblem } from "../../../config/this_machine.ts";
import type { ConfigProblem } from "../../../config/types.ts";
import { type Check, local, when } from "../check.ts";
import type { LocalFacts } from "../facts.ts";
import { isOwnAddress } from "./own_addresses.ts";

export const CONFIGURATION_CHECKS: readonly Check[] = [
  local(
    {
      id: "configuration-invalid",
      severity: "error",
      examines: "ctdb.conf and ctdb-appliance.conf",
      why: "ctdbd does not start with it",
      remedy: 'mend these lines until "ctdbd --check-config" accepts the file, then start ctdbd',
    },
    ({ problems }) => texts(problems, "error"),
  ),
  local(
    {
      id: "configuration-unknown",
      severity: "warning",
      examines: "sections and options of these files that are unknown or have a newer name",
      why: "an option that is not known does nothing, whatever it was meant to do",
      remedy: "correct the name, or remove the line",
    },
    ({ problems }) => [...texts(problems, "unknown"), ...texts(problems, "warning")],
  ),
  local(
    {
      id: "script-options-wrong",
      severity: "warning",
      examines: "script.options and the files of options of single scripts",
      why: "the script fails, or does without what was meant to be set",
      remedy: 'correct these lines; "ctdbd --check-config" looks at them, too',
    },
    ({ scriptProblems }) => scriptProblems.map(problemText),
  ),
  local(
    {
      id: "tunables-invalid",
      severity: "error",
      examines: "ctdb.tunables and tunables.d",
      why: "ctdbd does not start with them",
      remedy: "mend or remove these lines; ctdb-tunables(7) lists the names",
    },
    ({ tunableProblems }) => texts(tunableProblems, "error"),
  ),
  local(
    {
      id: "nodes-file-missing",
      severity: "error",
      examines: "that the nodes list can be read",
      why: "without it ctdbd does not know the other nodes, and does not start",
      remedy: "put the private address of every node into it, one a line, the same on all nodes",
    },
    ({ nodes }) => (typeof nodes === "string" ? [`No nodes list: ${nodes}`] : []),
  ),
  local(
    {
      id: "nodes-file-invalid",
      severity: "error",
      examines: "the lines of the nodes list",
      why: "ctdbd does not start with it, and a running one refuses to reload it",
      remedy:
        "each line is one IP address; # in front of a line keeps the number of a node that is gone",
    },
    ({ nodes }) => (typeof nodes === "string" || nodes.ok ? [] : texts(nodes.error, "error")),
  ),
  local(
    {
      id: "nodes-change-unfinished",
      severity: "warning",
      examines: "that no change of the nodes file was begun and left",
      why: "other nodes may have the new nodes file already, and no further change can begin",
      remedy: "run ctdb node repair, when nobody is just changing it",
    },
    ({ nodesChangeLeft: path }) =>
      path === undefined
        ? []
        : [`A change of the nodes file was prepared and not installed: ${path}`],
  ),
  local(
    {
      id: "own-address-missing",
      severity: "error",
      examines:
        "that an address of the nodes list, the configured one if there is one, is on this machine",
      why: "ctdbd finds out by it which node it is, and does not start without",
      remedy: "configure the address on the private interface, or correct the nodes list",
    },
    ownAddressMissing,
  ),
  local(
    {
      id: "public-addresses-invalid",
      severity: "error",
      examines: "the lines of the file of public addresses",
      why: "ctdbd does not start with it",
      remedy: "each line is ADDRESS/BITS INTERFACE[,INTERFACE…], and each address stands once",
    },
    ({ publicAddresses }) => texts(publicAddresses.ok ? [] : publicAddresses.error, "error"),
  ),
  local(
    {
      id: "public-interface-missing",
      severity: "error",
      examines: "that the interfaces of public addresses exist",
      why: "addresses of which no interface is there cannot be hosted by this node",
      remedy:
        'create the interface, or correct its name in public_addresses and run "ctdb reloadips"',
    },
    ({ missingInterfaces }) => missingInterfaces.map(missingInterfaceText),
  ),
  local(
    {
      id: "public-address-is-node-address",
      severity: "error",
      examines: "that no public address is the address of a node",
      why: "a public address moves away with failover, and the nodes lose each other with it",
      remedy: "remove it from public_addresses, or give the nodes addresses of their own",
    },
    publicNodeAddresses,
  ),
  local(
    {
      id: "node-address-on-public-interface",
      severity: "warning",
      examines: "that the node's own address is not on an interface of public addresses",
      why: "the protocol between nodes knows neither passwords nor encryption: who reaches it may change every database",
      remedy:
        "use a private network for the nodes, or keep clients away from port 4379 by a firewall",
    },
    nodeAddressOnPublicInterface,
  ),
  local(
    {
      id: "cluster-lock-unset",
      severity: "warning",
      examines: "that clusters of more than one node have a cluster lock",
      why: "when the network falls apart, both halves go on, each with its own data",
      remedy:
        'set "cluster lock" in ctdb.conf of all nodes to a file of the cluster file system, or to a helper',
    },
    (facts) =>
      when(
        facts.config.cluster.clusterLock === undefined && nodeCount(facts) > 1,
        () => `${nodeCount(facts)} nodes, and no cluster lock is configured`,
      ),
  ),
  local(
    {
      id: "samba-not-clustered",
      severity: "note",
      examines: "that smb.conf says clustering = yes (by testparm)",
      why: "smbd keeps databases of its own then, and nodes give the same file to clients without knowing of each other",
      remedy: 'set "clustering = yes" in the global section of smb.conf, or in its registry',
    },
    ({ sambaIsClustered }) =>
      when(sambaIsClustered === false, () => "smb.conf does not say clustering = yes"),
  ),
];

function texts(
  problems: readonly ConfigProblem[],
  severity: ConfigProblem["severity"],
): readonly string[] {
  return problems.filter((problem) => problem.severity === severity).map(problemText);
}

function listed({ nodes }: LocalFacts): readonly string[] {
  if (typeof nodes === "string" || !nodes.ok) return [];
  return nodes.value.filter(({ deleted }) => !deleted).map(({ address }) => address);
}

function nodeCount(facts: LocalFacts): number {
  return listed(facts).length;
}

function ownAddressMissing(facts: LocalFacts): readonly string[] {
  const addresses = listed(facts);
  if (addresses.length === 0) return [];
  const { nodeAddress } = facts.config.cluster;
  const problem = ownAddressProblem(facts.interfaces, addresses, nodeAddress);
  return [
    ...when(
      nodeAddress !== undefined && !addresses.includes(nodeAddress),
      () => `The node address "${nodeAddress}" of ctdb.conf is not in the nodes list`,
    ),
    ...(problem === undefined ? [] : [problem]),
  ];
}

function publicNodeAddresses(facts: LocalFacts): readonly string[] {
  const nodes = new Set(listed(facts));
  return publicOnes(facts)
    .map(({ address }) => address.address)
    .filter((address) => nodes.has(address))
    .map((address) => `"${address}" is a public address and the address of a node`);
}

function publicOnes({ publicAddresses }: LocalFacts) {
  return publicAddresses.ok ? publicAddresses.value : [];
}

function nodeAddressOnPublicInterface(facts: LocalFacts): readonly string[] {
  const { nodeAddress } = facts.config.cluster;
  const own = nodeAddress ?? listed(facts).find((address) => isOwnAddress(facts, address));
  const holder = own === undefined ? undefined : holderOf(facts.interfaces, own);
  const isPublic = publicOnes(facts).some(({ interfaces }) => interfaces.includes(holder ?? ""));
  return when(
    isPublic,
    () => `The node address "${own}" is on the interface "${holder}", which has public addresses`,
  );
}
