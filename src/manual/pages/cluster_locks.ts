/** Pages of the commands that hold the cluster lock: in a file, in etcd, on an object of Ceph. */
import type { ManualPage } from "../page.ts";

/** What all of them do, for those who look at a log or write another. */
const PROTOCOL =
  "`ctdbd` starts it when this node wants to lead, and ends it when it no longer does. What it prints, and how it ends, is in ctdb(7), under the leader and the cluster lock. The setting must be the same on all nodes.";

const FILE_LOCK: ManualPage = {
  name: "ctdb_mutex_fcntl_helper",
  section: 7,
  summary: "holds the cluster lock in a file of a cluster file system",
  synopsis: [
    "cluster lock = FILE",
    "cluster lock = !/usr/libexec/ctdb/ctdb_mutex_fcntl_helper FILE [RECHECK [PING]]",
  ],
  sections: [
    {
      title: "Description",
      blocks: [
        "Locks the first byte of FILE, which must be in a cluster file system whose locks exclude each other between nodes; ping_pong(1) tests that. A `cluster lock` that names a file alone means this program.",
        PROTOCOL,
      ],
    },
    {
      title: "Arguments",
      blocks: [
        {
          terms: [
            ["FILE", "It is made when it is not there. All nodes have the same."],
            [
              "RECHECK",
              "Seconds between looks whether FILE still is the file that is locked, and the file system still does locks; 5 without it, 0 for never. A file that was replaced or deleted loses the lock.",
            ],
            [
              "PING",
              "Seconds that such a look may take before the lock is given up; 0, the default, is any time.",
            ],
          ],
        },
      ],
    },
    {
      title: "Examples",
      blocks: [
        { screen: "[cluster]\n    cluster lock = /clusterfs/.ctdb/lock\n" },
        {
          screen:
            "[cluster]\n    cluster lock = !/usr/libexec/ctdb/ctdb_mutex_fcntl_helper /clusterfs/.ctdb/lock 5 30\n",
        },
      ],
    },
  ],
  seeAlso: ["ctdb.conf(5)", "ctdb(7)", "ctdb-etcd(7)", "ping_pong(1)"],
};

const ETCD_OPTIONS: readonly (readonly [string, string])[] = [
  ["host = HOST[,HOST...]", "Where etcd is, tried in turn. Default: `127.0.0.1`."],
  ["port = NUMBER", "Default: `2379`."],
  ["protocol = http|https", "Default: `http`."],
  ["cert = FILE", "The certificate of this node, in PEM form. No default."],
  ["key = FILE", "Its key. Default: in the file of `cert`."],
  ["ca_cert = FILE", "Whose certificates of servers are trusted. No default."],
  ["username = NAME", "With `password`: who asks. No default."],
  ["password = TEXT", "No default."],
  [
    "lock_ttl = SECONDS",
    "After so many seconds without a renewal others can have the lock, as when its node is gone. Default: `9`.",
  ],
  ["refresh = SECONDS", "Between renewals; `lock_refresh` is the same. Default: `2`."],
  ["locks_dir = NAME", "The lock is the key `_locks/LOCKS_DIR/LOCK_NAME`. Default: `_ctdb`."],
  ["lock_name = NAME", "Default: Samba's `netbios name`, which `testparm` is asked for."],
  ["read_timeout = SECONDS", "How long a host has for an answer. Default: `5`."],
];

const ETCD: ManualPage = {
  name: "ctdb-etcd",
  section: 7,
  summary: "holds the cluster lock in etcd",
  synopsis: [
    "cluster lock = !/usr/libexec/ctdb/ctdb_etcd_lock [-v...] [-c FILE] [LOCK]",
    "cluster lock = !/usr/libexec/ctdb/ctdb_mutex_etcd_helper [-v...] [-c FILE] [LOCK]",
  ],
  sections: [
    {
      title: "Description",
      blocks: [
        "`ctdb_etcd_lock` takes the cluster lock in a running cluster of etcd, and needs no cluster file system for it. The lock is a key with a lease, which this program renews. `ctdb_mutex_etcd_helper` is another name of it.",
        PROTOCOL,
        "It speaks version 3 of etcd's interface. Samba's program of the same name speaks version 2, which etcd no longer offers by default: the two do not exclude each other, so that all nodes have to change at the same time.",
      ],
    },
    {
      title: "Options",
      blocks: [
        {
          terms: [
            ["-c FILE, --config=FILE", "Another configuration than `/etc/ctdb/etcd`."],
            ["-v, --verbose", "Says more in the log; `-vv` also who holds the lock."],
            ["-h, --help", "Prints help."],
            ["LOCK", "The name of the lock, instead of `lock_name`."],
          ],
        },
      ],
    },
    {
      title: "Configuration",
      blocks: [
        "`/etc/ctdb/etcd` need not be there. Lines `name = value`; `#` begins a comment.",
        { terms: ETCD_OPTIONS },
      ],
    },
    {
      title: "Files",
      blocks: [{ terms: [["/etc/ctdb/etcd", "The configuration, where `-c` names no other."]] }],
    },
    {
      title: "Examples",
      blocks: [
        { screen: "[cluster]\n    cluster lock = !/usr/libexec/ctdb/ctdb_etcd_lock\n" },
        {
          screen:
            "host = etcd1,etcd2,etcd3\nprotocol = https\nca_cert = /etc/ssl/etcd-ca.pem\nlock_name = FILES\n",
        },
      ],
    },
  ],
  seeAlso: ["ctdb.conf(5)", "ctdbd(1)", "ctdb(7)"],
};

const QUORUM: ManualPage = {
  name: "ctdb_mutex_quorum_helper",
  section: 7,
  summary: "holds the cluster lock by the votes of the nodes",
  synopsis: ["cluster lock = !/usr/libexec/ctdb/ctdb_mutex_quorum_helper [--tiebreak PNN]"],
  sections: [
    {
      title: "Description",
      blocks: [
        "The node that has the votes of more than half of all nodes has the cluster lock, and renews them. Nothing outside of the cluster is needed. All nodes must be of this program: the original's daemons give no votes.",
        PROTOCOL,
        "A recovery daemon that has just started gives no vote for 9 seconds, so that a cluster that starts has a leader after that time. When the list of nodes is changed, the nodes elect once.",
      ],
    },
    {
      title: "Options",
      blocks: [
        {
          terms: [
            [
              "--tiebreak PNN",
              "The node whose vote counts twice when the number of nodes is even. Two nodes need one: it can lead alone, the other one cannot.",
            ],
          ],
        },
      ],
    },
    {
      title: "Examples",
      blocks: [
        {
          screen:
            "[cluster]\n    cluster lock = !/usr/libexec/ctdb/ctdb_mutex_quorum_helper --tiebreak 0\n",
        },
      ],
    },
  ],
  seeAlso: ["ctdb.conf(5)", "ctdb(7)", "ctdb-etcd(7)"],
};

const CEPH: ManualPage = {
  name: "ctdb_mutex_ceph_rados_helper",
  section: 7,
  summary: "holds the cluster lock on an object of Ceph",
  synopsis: [
    "cluster lock = !/usr/libexec/ctdb/ctdb_mutex_ceph_rados_helper CLUSTER USER POOL OBJECT [SECONDS] [-n NAMESPACE] [-R]",
  ],
  sections: [
    {
      title: "Description",
      blocks: [
        "Takes the cluster lock as a lock on an object in a pool of Ceph. It is the lock that Samba's program of this name takes: nodes with either exclude each other.",
        PROTOCOL,
        "It needs the library librados, whose configuration and the keyring of USER are where that looks for them, such as `/etc/ceph`. Where one of these is missing, the log says which.",
      ],
    },
    {
      title: "Arguments",
      blocks: [
        {
          terms: [
            ["CLUSTER", "Name of the cluster of Ceph, usually `ceph`."],
            ["USER", "Who asks, such as `client.admin`."],
            ["POOL", "A pool that is there."],
            ["OBJECT", "The object to lock; it is made."],
            [
              "SECONDS",
              "After so long without a renewal others can have the lock; 10 without it. 0 is never: the lock of a node that died has to be broken by hand.",
            ],
            ["-n NAMESPACE", "The namespace of the object in the pool."],
            ["-R", "Does not register the holder among the services that Ceph shows."],
          ],
        },
      ],
    },
    {
      title: "Examples",
      blocks: [
        {
          screen:
            "[cluster]\n    cluster lock = !/usr/libexec/ctdb/ctdb_mutex_ceph_rados_helper ceph client.ctdb locks ctdb-lock\n",
        },
      ],
    },
  ],
  seeAlso: ["ctdb.conf(5)", "ctdbd(1)", "ctdb(7)"],
};

export const LOCK_PAGES: readonly ManualPage[] = [FILE_LOCK, ETCD, QUORUM, CEPH];
