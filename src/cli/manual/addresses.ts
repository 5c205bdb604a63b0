/** Commands about public addresses and the interfaces that hold them. */
import type { Subject } from "./manual.ts";

export const ADDRESSES: Subject = {
  title: "Public addresses and interfaces",
  commands: {
    ip: {
      about: [
        "Lists the public addresses that the node can host, each with the number of the node that has it; -1 for nobody. With `all` those of all active nodes: there each address is where its host says that it is.",
        "With `-v` also the interface that has it, those whose link is up, and all that are configured for it.",
        "With `--simulate` nothing is asked to move: it shows where addresses would go if that node left, by the algorithm and the tunables of the cluster.",
      ],
      examples: [
        { line: "ctdb ip", output: "Public IPs on node 0\n10.1.0.1 0\n10.1.0.2 1" },
        {
          line: "ctdb ip all -v",
          output:
            "Public IPs on ALL nodes\n10.1.0.1 node[0] active[eth1] available[eth1] configured[eth1]\n10.1.0.2 node[1] active[eth1] available[eth1] configured[eth1]",
        },
        { line: "ctdb ip --simulate=1" },
      ],
    },
    ipinfo: {
      about: [
        "Shows one public address as the node knows it: who has it, and the interfaces that can hold it with their links. The one that has it is marked.",
      ],
      status: "1 if the node does not know the address.",
      examples: [
        {
          line: "ctdb ipinfo 10.1.0.1",
          output:
            "Public IP[10.1.0.1] info on node 0\nIP:10.1.0.1\nCurrentNode:0\nNumInterfaces:1\nInterface[1]: Name:eth1 Link:up References:1 (active)",
        },
      ],
    },
    ifaces: {
      about: [
        "Lists the interfaces that can hold public addresses: whether the link is up, and how many addresses each has.",
      ],
      examples: [
        {
          line: "ctdb ifaces",
          output: "Interfaces on node 0\nname:eth1 link:up references:1",
        },
        { line: "ctdb -X ifaces", output: "|Name|LinkStatus|References|\n|eth1|1|1|" },
      ],
    },
    setifacelink: {
      about: [
        "Tells the daemon that the link of an interface is up or down. The event script `10.interface` does so from what it sees; by hand it lasts until the next monitor event.",
      ],
      status: "1 if no public address is configured for the interface.",
      examples: [{ line: "ctdb setifacelink eth1 down" }],
    },
    moveip: {
      about: [
        "Moves one public address to a node that can host it. The next takeover run may move it again: it stays only with the tunables `NoIPFailback` 1 and `IPAllocAlgorithm` other than 0.",
      ],
      examples: [{ line: "ctdb moveip 10.1.0.1 1" }],
    },
    addip: {
      about: [
        "Gives the running node one more public address that it can host, on one interface or several with commas between them. It lasts until the node ends or its file is read again (`ctdb reloadips`); with `--write` it is added to the file, too. Addresses are placed anew afterwards.",
        "An address that the node knows already changes nothing, which is told.",
      ],
      examples: [
        { line: "ctdb addip 10.1.0.3/24 eth1" },
        { line: "ctdb addip --write 10.1.0.3/24 eth1,eth2" },
      ],
    },
    delip: {
      about: [
        "Takes a public address from what the running node can host; one that is in use goes to another node. It lasts until the node ends or its file is read again; with `--write` its lines are removed from the file, too.",
      ],
      examples: [{ line: "ctdb delip 10.1.0.3" }, { line: "ctdb delip --write 10.1.0.3" }],
    },
    reloadips: {
      about: [
        "Has the node, the named nodes or all of them read their file of public addresses again, and waits until addresses are placed. Mask and interfaces of an address that stays are not changed: take it out, reload, and put it in again.",
      ],
      status: "1 if no named node is active.",
      examples: [{ line: "ctdb reloadips" }, { line: "ctdb reloadips 0,1" }],
    },
    ipreallocate: {
      about: [
        "Has the leader place all public addresses anew, and waits until it has. The cluster does this by itself when nodes or links change.",
      ],
      examples: [{ line: "ctdb ipreallocate" }],
    },
    sync: {
      about: ["The old name of `ctdb ipreallocate`."],
      examples: [{ line: "ctdb sync" }],
    },
    gratarp: {
      about: [
        "Has the node announce that it has the address, so that others on the network send to it: a gratuitous ARP for IPv4, a neighbour advertisement for IPv6. Event scripts use it; the daemon does so by itself after a takeover.",
      ],
      examples: [{ line: "ctdb gratarp 10.1.0.1 eth1" }],
    },
  },
};
