/** Commands about nodes and the cluster as a whole. */
import type { Subject } from "./manual.ts";

const STATES =
  "`OK`, or words joined by `|`: `DISCONNECTED`, `UNKNOWN`, `DISABLED`, `BANNED`, `UNHEALTHY`, `DELETED`, `STOPPED`, `INACTIVE`; `PARTIALLYONLINE` for a node that is fit but has an interface down.";

export const NODES: Subject = {
  title: "Nodes and cluster",
  commands: {
    version: {
      about: ["Prints the release of the tool. No daemon is asked."],
      examples: [{ line: "ctdb version", output: "4.25.0-ctdb-appliance-0.1.0" }],
    },
    wait: {
      about: [
        "Waits until a condition holds: `healthy` (every node is OK and no recovery runs), `recovered`, `leader` (a node says that it leads), `node PNN STATE` (`ok`, `connected` or the name of a flag such as `stopped`), `ips assigned` (every public address is hosted). A daemon that is not there yet or starts again is waited for, too. With `-v` every change of what is missing is told.",
      ],
      status: "0 when it holds, 75 when the time is over: what is missing then is told.",
      examples: [
        { line: "ctdb wait healthy --timeout 120", output: "healthy after 12.3 s" },
        { line: "ctdb wait node 1 stopped" },
      ],
    },
    status: {
      about: [
        "Shows the cluster as the asked node sees it: each node with its address and state, the generation, the map of virtual nodes (which node is responsible for which share of the records), the recovery mode and the leader. A node that is not active may have an old view.",
        `States: ${STATES}`,
        "The generation is `INVALID` until the node has taken part in a first recovery. The recovery mode is `RECOVERY` while databases are frozen; that should be over within seconds.",
        "With `-v` a last line for each unhealthy node says why: the event script that failed, how, after how long, and what it printed.",
        "With `--why` further lines say of everything that is not as it should be (flags of nodes, a node that is not in the map or has other tunables, a recovery, no leader) since when that is so, why, and what to do; of a recovery also how far it is with each database. A peer that hangs keeps nobody waiting: then what the own node knows is shown.",
      ],
      examples: [
        {
          line: "ctdb status",
          output: `Number of nodes:2
pnn:0 10.0.0.1         OK (THIS NODE)
pnn:1 10.0.0.2         DISABLED
Generation:1362079228
Size:2
hash:0 lmaster:0
hash:1 lmaster:1
Recovery mode:NORMAL (0)
Leader:0`,
        },
        {
          line: "ctdb -X status",
          output: `|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|
|0|10.0.0.1|0|0|0|0|0|0|0|0|Y|
|1|10.0.0.2|0|0|0|1|0|0|0|0|N|`,
        },
      ],
    },
    nodestatus: {
      about: [
        "Shows the lines of nodes as `ctdb status` does: of the asked node, of the named ones (numbers with commas between them), or of all.",
      ],
      status:
        "0 if all shown nodes are fit. Otherwise the flags of all of them together, as a number: 1 disconnected, 2 unhealthy, 4 disabled, 8 banned, 32 stopped.",
      examples: [
        { line: "ctdb nodestatus", output: "pnn:0 10.0.0.1         OK (THIS NODE)" },
        { line: "ctdb nodestatus all" },
      ],
    },
    listnodes: {
      about: [
        "Lists the addresses of the nodes file, without those that are commented out. No daemon is asked; with `-X` each line has the number of the node, too.",
      ],
      examples: [{ line: "ctdb -X listnodes", output: "|0|10.0.0.1|\n|1|10.0.0.2|" }],
    },
    node: {
      about: [
        "`node add ADDRESS ...` and `node remove PNN ...` change the nodes file of every connected node and have all of them read it: on each node the new file is written beside the old one and checked, and only when all have it, it takes the place of the old one. The lines that change are shown before. A removed node leaves a line that begins with `#`, so that the others keep their numbers; adding its address again gives it its number back. Other lines stay as they are.",
        "Nothing is changed when files of nodes differ, when a node that is to go is still connected (shut it down first), when a node runs another ctdbd, or when `nodes list` is a command. On a node that is added the file has to be put before its daemon starts.",
        "`node repair` ends what was begun and left: a change that some node has installed already is installed on the others, one that none has is dropped, and nodes that run with an older list read it again. With `node repair PNN` the file of that node is right, and all others get it.",
        "On a terminal it asks before; `--yes` answers. `--dry-run` shows what would change.",
      ],
      examples: [
        {
          line: "ctdb node add 10.0.0.4",
          output: `/etc/ctdb/nodes on nodes 0,1,2:
+ line 4: 10.0.0.4
Node 3 is NEW
Changed on nodes 0,1,2
Node 3 (10.0.0.4): put this nodes file there, then start ctdbd`,
        },
        { line: "ctdb node remove 3 --yes" },
        { line: "ctdb node repair", output: "Nothing to repair" },
      ],
    },
    doctor: {
      about: [
        "Looks for what is wrong with the node that it runs on and with its cluster: configuration, files, disks, permissions, releases, clocks, locks, databases, the log, the network between nodes. Each finding says what is wrong, why that matters, and what to do. It says nothing when nothing is wrong; with `-v` also which checks were made. It changes nothing, and works without a daemon, too.",
      ],
      status: "0 if there is nothing wrong, or notes only; 1 with warnings, 2 with errors.",
      examples: [
        {
          line: "ctdb doctor",
          output: `WARNING clocks-differ: The clock of node 2 is 5.0 s behind
  why: times of files jump with the node that a client uses, logs cannot be compared, tickets are refused
  do: run a time service (chrony, systemd-timesyncd) on all nodes`,
        },
      ],
    },
    pnn: {
      about: ["Prints the number of this node (PNN), which is its line in the nodes file, from 0."],
      examples: [{ line: "ctdb pnn", output: "0" }],
    },
    leader: {
      about: [
        "Prints the number of the node that leads the cluster: it watches that nodes agree, runs recoveries and places public addresses. `UNKNOWN` while there is none.",
      ],
      examples: [{ line: "ctdb leader", output: "0" }],
    },
    uptime: {
      about: [
        "Shows how long the daemon has been running, when the last recovery or failover ended, and how long that took. Elapsed times are days, hours, minutes and seconds. A negative duration is one that is under way.",
      ],
      examples: [
        {
          line: "ctdb uptime",
          output: `Current time of node 0        :                Thu Oct 29 10:38:54 2026
Ctdbd start time              : (000 16:54:28) Wed Oct 28 17:44:26 2026
Time of last recovery/failover: (000 16:53:31) Wed Oct 28 17:45:23 2026
Duration of last recovery/failover: 0.248552 seconds`,
        },
      ],
    },
    ping: {
      about: [
        "Asks the daemon of a node for an answer, and shows how long that took and how many clients the daemon has.",
      ],
      examples: [
        { line: "ctdb -n 1 ping", output: "response from 1 time=0.000054 sec  (3 clients)" },
      ],
    },
    runstate: {
      about: [
        "Prints how far the daemon has come: `INIT`, `SETUP`, `FIRST_RECOVERY`, `STARTUP`, `RUNNING` or `SHUTDOWN`. With states as arguments it must be in one of them, whatever the case of the letters.",
      ],
      status: "1 if the daemon is in none of the wanted states, or a state does not exist.",
      examples: [
        { line: "ctdb runstate", output: "RUNNING" },
        { line: "ctdb runstate running", output: "CTDB not in required run state (got STARTUP)" },
      ],
    },
    getcapabilities: {
      about: [
        "Shows what the node may become: the leader of the cluster, and the node that is responsible for a share of the records (lmaster).",
      ],
      examples: [{ line: "ctdb getcapabilities", output: "LEADER: YES\nLMASTER: YES" }],
    },
    setleaderrole: {
      about: [
        "Lets the node lead the cluster, or not, until its daemon ends. A leader that may no longer lead makes room in an election. For good: `leader capability` in ctdb.conf(5).",
      ],
      examples: [{ line: "ctdb -n 2 setleaderrole off" }],
    },
    setlmasterrole: {
      about: [
        "Lets the node be responsible for a share of the records, or not, until its daemon ends. It shows with the next recovery; `ctdb recover` makes one. For good: `lmaster capability` in ctdb.conf(5).",
      ],
      examples: [{ line: "ctdb -n 2 setlmasterrole off" }],
    },
    disable: {
      about: [
        "Takes the public addresses from the node; its databases go on serving. It waits until the flag shows and the addresses are elsewhere. Connections are cut: `ctdb drain` asks clients to go before.",
      ],
      status: "0 also if the node was disabled before, which is told.",
      examples: [{ line: "ctdb -n 1 disable" }],
    },
    enable: {
      about: ["Lets a disabled node have public addresses again, and waits until they are placed."],
      status: "0 also if the node was not disabled, which is told.",
      examples: [{ line: "ctdb -n 1 enable" }],
    },
    drain: {
      about: [
        "Disables a node after its SMB clients were asked to move. Those that have registered for it (Samba's witness service) are told to go to other nodes, and it waits for them for as long as a request may take (`-t`). Those that stay are moved by the failover, as with `ctdb disable`. Where the witness service does not run, that is told, and the node is disabled.",
        "`ctdb enable` ends it.",
      ],
      status: "1 if no other node can take over; then nothing is changed.",
      examples: [{ line: "ctdb -t 60 drain 1", output: "Asked 12 clients of node 1 to move" }],
    },
    stop: {
      about: [
        "Takes the node out of the cluster while its daemon goes on running: it has no public addresses, no share of the records, and its databases are frozen. `ctdb continue` brings it back. A cluster without it goes on after a recovery.",
      ],
      status: "0 also if the node was stopped before, which is told.",
      examples: [{ line: "ctdb -n 1 stop" }],
    },
    continue: {
      about: ["Lets a stopped node take part again, and waits until addresses are placed."],
      status: "0 also if the node was not stopped, which is told.",
      examples: [{ line: "ctdb -n 1 continue" }],
    },
    ban: {
      about: [
        "Keeps the node out of the cluster for so many seconds, as the cluster itself does with one that spoils recoveries. After that it joins again by itself. To keep a node out for maintenance, use `ctdb stop`.",
      ],
      status: "0 also if the node was banned before, which is told. 22 for a time of 0.",
      examples: [{ line: "ctdb -n 1 ban 300" }],
    },
    unban: {
      about: ["Ends a ban, by whomever it was made, and waits until addresses are placed."],
      status: "0 also if the node was not banned, which is told.",
      examples: [{ line: "ctdb -n 1 unban" }],
    },
    shutdown: {
      about: [
        "Ends the daemon of the node: it gives its public addresses away, lets the other nodes take them, runs the `shutdown` event and exits. For the own node it waits until the daemon is down; another one is only told.",
      ],
      examples: [{ line: "ctdb shutdown" }, { line: "ctdb -n 1 shutdown" }],
    },
    recover: {
      about: [
        "Makes the leader merge all databases anew, and waits until that is done. Databases are frozen meanwhile. The cluster does this by itself when nodes come and go; where only addresses are to be placed anew, use `ctdb ipreallocate`.",
      ],
      examples: [{ line: "ctdb recover" }],
    },
    reloadnodes: {
      about: [
        "Has all nodes read their nodes file again, after nodes were added at its end or commented out. First it checks that the file is the same on all connected nodes, and that no node has another address or is missing; then it prints what changes.",
        "To add a node: with the cluster healthy, write its address at the end of the file on every node, call `ctdb reloadnodes` on one of them, then start the new node. To remove one: shut it down, put `#` in front of its line on every other node, and call it. Lines are never taken out: the numbers of the others would change.",
      ],
      status: "1 if files differ or the change is not allowed; then nothing is changed.",
      examples: [{ line: "ctdb reloadnodes", output: "Node 2 is NEW" }],
    },
    reload: {
      about: [
        "Has the node read `ctdb.conf` and `ctdb-appliance.conf` again. It applies what a running node can take, and names what needs a restart; ctdb.conf(5) says of each option which it is. A file with problems changes nothing: all of them are told.",
        "Tunables, public addresses and nodes are not read again: see `ctdb setvar`, `ctdb reloadips` and `ctdb reloadnodes`.",
      ],
      status: "22 for files with problems. 1 if the node runs another ctdbd, which cannot do this.",
      examples: [
        { line: "ctdb reload", output: "Nothing has changed" },
        { line: "ctdb -n 1 reload" },
      ],
    },
    getreclock: {
      about: [
        "Prints the cluster lock as the daemon has it from ctdb.conf(5): a file or a `!` and a command. Nothing without one.",
      ],
      examples: [{ line: "ctdb getreclock", output: "/clusterfs/.ctdb/lock" }],
    },
  },
};
