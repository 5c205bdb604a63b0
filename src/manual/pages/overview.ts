/** ctdb(7): what a cluster is made of, its files, and how a node stands. */
import type { ManualPage, PageSection } from "../page.ts";

const CLUSTER: readonly PageSection[] = [
  {
    title: "Description",
    blocks: [
      "CTDB makes several file servers one: Samba's databases are the same on all nodes, services are watched, and the addresses that clients use move away from a node that fails. The files that are served lie in a cluster file system, which is none of CTDB's business.",
      "On each node runs `ctdbd`, with a recovery daemon and an event daemon beside it. smbd, winbindd and other programs speak to it through a socket, nodes to each other over TCP (port 4379).",
      "Databases are files in the TDB format. A volatile one has each record where it was used last, and is empty after all nodes were down; a persistent one is whole on every node, and changes in transactions; a replicated one is the same without surviving.",
    ],
  },
  {
    title: "Leader and cluster lock",
    blocks: [
      "The nodes elect a leader. It sees to it that all agree, merges databases anew when nodes come and go (a recovery), and places public addresses. `ctdb leader` says who it is.",
      "The cluster lock makes sure that there is one leader, also when nodes no longer see each other: only who has it leads. It is `cluster lock` in ctdb.conf(5): a file in the cluster file system, or `!` and a command that holds a lock elsewhere: ctdb-etcd(7), ctdb_mutex_ceph_rados_helper(7) and ctdb_mutex_quorum_helper(7) are such. ping_pong(1) tests whether locks of a cluster file system do what they must. Without a cluster lock both halves of a divided cluster go on, and files are corrupted.",
      "A command is started by the node that wants to lead, and prints one character: `0` for a lock that it has, `1` for one that somebody else has, `2` if it gave up waiting, `3` for an error. It holds the lock as long as it runs, and gives it up on SIGTERM. When `ctdbd` is gone, it must end by itself.",
    ],
  },
  {
    title: "Nodes file",
    blocks: [
      "`/etc/ctdb/nodes` has the private address of each node, one a line, in the same order on all nodes. The number of the line, from 0, is the number of the node (PNN). `#` in front of a line takes the node out, and keeps the numbers of the others.",
      { screen: "10.0.0.1\n10.0.0.2\n10.0.0.3\n" },
      "Private addresses belong to a network of their own: what nodes say to each other is neither encrypted nor authenticated. To change the file, see `reloadnodes` in ctdb(1).",
    ],
  },
  {
    title: "Public addresses",
    blocks: [
      "`/etc/ctdb/public_addresses` has the addresses that this node can host, each with its mask and the interface for it, or several with commas between them. The system must not configure them: CTDB does, on one node at a time.",
      { screen: "10.1.0.1/24 eth1\n10.1.0.2/24 eth1,eth2\n" },
      "Clients use them by a name with all of them. When one moves, the new host tells the network and the clients, so that they connect again at once. Nodes may have different files: an address moves only between those that have it. `ctdb ip all` shows where they are.",
    ],
  },
  {
    title: "States of a node",
    blocks: [
      {
        terms: [
          ["OK", "It takes part, and can have public addresses."],
          [
            "PARTIALLYONLINE",
            "As `OK`, with some of its public interfaces down; see `CTDB_PARTIALLY_ONLINE_INTERFACES` in ctdb-script.options(5).",
          ],
          ["DISCONNECTED", "The other nodes do not hear of it. It may be down, or the network is."],
          [
            "UNHEALTHY",
            "An event script found a service that does not work. It takes part, without public addresses; `ctdb -v status` says why.",
          ],
          ["DISABLED", "An administrator has taken its public addresses away (`ctdb disable`)."],
          ["STOPPED", "An administrator has taken it out of the cluster (`ctdb stop`)."],
          [
            "BANNED",
            "The cluster has taken it out for a while, because it spoiled recoveries, or an administrator has (`ctdb ban`).",
          ],
          ["INACTIVE", "It takes no part, because it is stopped, banned or disconnected."],
          ["DELETED", "Its line in the nodes file is commented out."],
          ["UNKNOWN", "The asked node has just been started and does not know yet."],
        ],
      },
    ],
  },
];

const SERVICES: readonly PageSection[] = [
  {
    title: "Capabilities",
    blocks: [
      "A node may lead (`leader capability` in ctdb.conf(5)), and be responsible for a share of the records, so that it always knows where they are (`lmaster capability`). A node behind a slow line better does neither. `ctdb getcapabilities` shows both.",
    ],
  },
  {
    title: "Event scripts",
    blocks: [
      "Services belong to scripts: `/etc/ctdb/events/legacy/NN.name.script` are called in the order of their names when something happens, with the name of the event and what belongs to it. `ctdb event script enable legacy NAME` lets a script that comes with CTDB take part; others are put there. Their settings are in ctdb-script.options(5).",
      {
        terms: [
          [
            "init, setup, startup",
            "The daemon starts: before databases, before the first recovery, after it.",
          ],
          ["monitor", "Is everything well? A failure makes the node unhealthy."],
          ["takeip, releaseip INTERFACE ADDRESS MASKBITS", "An address comes or goes."],
          ["updateip OLD NEW ADDRESS MASKBITS", "An address moves from one interface to another."],
          ["startipreallocate, ipreallocated", "Addresses are about to be placed, and have been."],
          ["startrecovery, recovered", "A recovery begins, and has ended."],
          ["shutdown", "The daemon ends."],
        ],
      },
      "`/etc/ctdb/notify.sh` is called with `init`, `setup`, `startup`, `healthy` or `unhealthy`, and runs what is in `/etc/ctdb/events/notification`, so that somebody hears of it.",
    ],
  },
  {
    title: "NAT gateway",
    blocks: [
      "A node without a public address may not reach servers that it needs, such as those of its domain. With the script `11.natgw` one node of a group is a gateway for the others: it has one more address, and sends their packets on under it. `ctdb natgw list` shows who that is.",
      {
        screen:
          "CTDB_NATGW_NODES=/etc/ctdb/natgw_nodes\nCTDB_NATGW_PRIVATE_NETWORK=10.0.0.0/24\nCTDB_NATGW_PUBLIC_IP=10.1.0.200/24\nCTDB_NATGW_PUBLIC_IFACE=eth1\nCTDB_NATGW_DEFAULT_GATEWAY=10.1.0.254\n",
      },
    ],
  },
  {
    title: "Policy routing",
    blocks: [
      "Where public addresses are in several networks, what they answer must leave by the network of the address. The script `13.per_ip_routing` makes a routing table for each address that the node has, from a file of lines `ADDRESS NETWORK/MASK [GATEWAY]`.",
      {
        screen:
          "CTDB_PER_IP_ROUTING_CONF=/etc/ctdb/policy_routing\nCTDB_PER_IP_ROUTING_RULE_PREF=100\nCTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000\nCTDB_PER_IP_ROUTING_TABLE_ID_HIGH=9000\n",
      },
    ],
  },
  {
    title: "LVS",
    blocks: [
      "With the script `91.lvs` the whole cluster has a single address. One node of the group gets all packets and hands them out to the fit ones, which answer the clients directly. It suits clients that read much and write little. Each node needs an address of its own on the public network, by which it answers.",
      {
        screen:
          "CTDB_LVS_NODES=/etc/ctdb/lvs_nodes\nCTDB_LVS_PUBLIC_IP=10.1.0.100\nCTDB_LVS_PUBLIC_IFACE=eth1\n",
      },
    ],
  },
  {
    title: "Files",
    blocks: [
      {
        terms: [
          ["/etc/ctdb/ctdb.conf", "Configuration, see ctdb.conf(5)."],
          ["/etc/ctdb/nodes", "The nodes of the cluster."],
          ["/etc/ctdb/public_addresses", "The addresses that this node can host."],
          ["/etc/ctdb/ctdb.tunables", "Tunables at the start, see ctdb-tunables(7)."],
          ["/etc/ctdb/script.options", "Settings of event scripts, see ctdb-script.options(5)."],
          ["/etc/ctdb/events/legacy/", "Event scripts that take part."],
          [
            "/etc/ctdb/static-routes",
            "Lines `INTERFACE NETWORK GATEWAY` for the script 11.routing.",
          ],
          ["/etc/ctdb/nfs-checks.d/", "What the script 60.nfs looks at."],
          ["/usr/share/ctdb/events/legacy/", "Event scripts that come with CTDB."],
          ["/var/lib/ctdb/", "Databases and state."],
          ["/var/log/ctdb/log.ctdb", "The log, where ctdb.conf does not say otherwise."],
          ["/run/ctdb/ctdbd.socket", "The socket of the daemon."],
        ],
      },
    ],
  },
];

export const OVERVIEW_PAGE: ManualPage = {
  name: "ctdb",
  section: 7,
  summary: "clustered database, health checks and moving addresses for file servers",
  sections: [...CLUSTER, ...SERVICES],
  seeAlso: [
    "ctdb(1)",
    "ctdbd(1)",
    "ctdb-admind(1)",
    "ctdb-appliance(1)",
    "ctdb-config(1)",
    "ctdb-event(1)",
    "ctdb-path(1)",
    "ctdb_diagnostics(1)",
    "ctdb_killtcp(1)",
    "check_ctdb(1)",
    "ltdbtool(1)",
    "onnode(1)",
    "ping_pong(1)",
    "tdb_mutex_check(1)",
    "ctdb.conf(5)",
    "ctdb-appliance.conf(5)",
    "ctdb-script.options(5)",
    "ctdb.sysconfig(5)",
    "ctdb-etcd(7)",
    "ctdb_mutex_ceph_rados_helper(7)",
    "ctdb_mutex_fcntl_helper(7)",
    "ctdb_mutex_quorum_helper(7)",
    "ctdb-statistics(7)",
    "ctdb-tunables(7)",
  ],
};
