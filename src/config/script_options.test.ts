import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { problemText } from "./problems.ts";
import { checkScriptOptions } from "./script_options.ts";
import { SCRIPT_VARIABLES } from "./script_variables.ts";

const PATHS = { etcDirectory: "/e", dataDirectory: "/d" };
const FILE = "/e/script.options";

function problems(files: Readonly<Record<string, string>>): readonly string[] {
  return checkScriptOptions(new MemoryFiles(files), PATHS).map(
    (one) => `${one.severity} ${problemText(one)}`,
  );
}

const PATHS_ONLY = { good: ["/a/b"], wrong: ["a/b"] };
const YES_OR_NO = { good: ["yes", "no"], wrong: ["1", "true", "Yes"] };
const NUMBERS = { good: ["0", "14"], wrong: ["-1", "x", "1.5"] };
const INTERFACES = { good: ["eth0", "bond0.12"], wrong: ["eth0 eth1", "a/b"] };
const SERVICES = { good: ["smbd"], wrong: ["smbd start", "/usr/sbin/smbd"] };
const THRESHOLDS = { good: ["1", "1:2", ":5"], wrong: ["a", "1:2:3", "1,2"] };
const ADDRESSES = { good: ["10.0.0.1", "fd00::1"], wrong: ["10.0.0.1/24", "gateway"] };
const MASKED = { good: ["10.0.0.1/24"], wrong: ["10.0.0.1", "10.0.0.1/33"] };
const LEVELS = { good: ["DEBUG", "5"], wrong: ["LOUD", "11"] };
const ROUTING = { good: ["100"], wrong: ["0", "-1", "0x10"] };

const VALUES: Readonly<Record<string, { good: readonly string[]; wrong: readonly string[] }>> = {
  CTDB_CLAMD_SOCKET: PATHS_ONLY,
  CTDB_DEBUGLEVEL: LEVELS,
  CTDB_DEBUG_HUNG_SCRIPT_LOGFILE: PATHS_ONLY,
  CTDB_INIT_STYLE: { good: ["debian"], wrong: ["systemd"] },
  CTDB_KILLTCP_DEBUGLEVEL: LEVELS,
  CTDB_KILLTCP_USE_SS_KILL: { good: ["yes", "try", "no"], wrong: ["maybe", "1"] },
  CTDB_LOGGING: { good: ["syslog", "file:/x"], wrong: ["/var/log/ctdb"] },
  CTDB_LVS_NODES: PATHS_ONLY,
  CTDB_LVS_PUBLIC_IFACE: INTERFACES,
  CTDB_LVS_PUBLIC_IP: ADDRESSES,
  CTDB_MAX_CORRUPT_DB_BACKUPS: NUMBERS,
  CTDB_MONITOR_FILESYSTEM_USAGE: {
    good: ["/:90", "/:90:95 /var:80", "/a:b".replace("b", ":95")],
    wrong: ["/", "/:101", "var:80", "/:80:90:95", "/:90%"],
  },
  CTDB_MONITOR_HOSTS: {
    good: ["ping:10.0.0.254", "dns:a.b,2:2:5 ns:c::3"],
    wrong: ["10.0.0.254", "tcp:a", "ping:", "ping:a,x", "ping:a,1,2", "ping:a:b"],
  },
  CTDB_MONITOR_MEMORY_USAGE: { good: ["80", "80:95", ":95"], wrong: ["101", "80%", "1:2:3"] },
  CTDB_NATGW_DEFAULT_GATEWAY: ADDRESSES,
  CTDB_NATGW_NODES: PATHS_ONLY,
  CTDB_NATGW_PRIVATE_NETWORK: MASKED,
  CTDB_NATGW_PUBLIC_IFACE: INTERFACES,
  CTDB_NATGW_PUBLIC_IP: MASKED,
  CTDB_NATGW_STATIC_ROUTES: {
    good: ["10.0.0.0/8", "10.0.0.0/8@10.1.1.1 10.2.0.0/16"],
    wrong: ["10.0.0.0", "10.0.0.0/8@x", "10.0.0.0/8@1.2.3.4@5.6.7.8"],
  },
  CTDB_NFS_CALLOUT_STATE_DIR: PATHS_ONLY,
  CTDB_NFS_CHECKS_DIR: PATHS_ONLY,
  CTDB_NFS_EXPORTS_FILE: PATHS_ONLY,
  CTDB_NFS_LOCAL_STATE_DIR: PATHS_ONLY,
  CTDB_NFS_PID_FILE: PATHS_ONLY,
  CTDB_NFS_SERVICE: SERVICES,
  CTDB_NFS_SHARED_STATE_DIR: PATHS_ONLY,
  CTDB_NFS_SKIP_SHARE_CHECK: YES_OR_NO,
  CTDB_PARTIALLY_ONLINE_INTERFACES: YES_OR_NO,
  CTDB_PERSISTENT_DB_BACKUP_DIR: PATHS_ONLY,
  CTDB_PERSISTENT_DB_BACKUP_LIMIT: NUMBERS,
  CTDB_PERSISTENT_DB_BACKUP_MODE: { good: ["0700", "750"], wrong: ["0800", "rwx", "7"] },
  CTDB_PER_IP_ROUTING_CONF: { good: ["/x", "__auto_link_local__"], wrong: ["auto"] },
  CTDB_PER_IP_ROUTING_RULE_PREF: ROUTING,
  CTDB_PER_IP_ROUTING_TABLE_ID_HIGH: ROUTING,
  CTDB_PER_IP_ROUTING_TABLE_ID_LOW: ROUTING,
  CTDB_PLATFORM_STYLE: { good: ["redhat", "freebsd"], wrong: ["arch", "Debian"] },
  CTDB_SAMBA_CHECK_PORTS: {
    good: ["445", "139 445", "tcp nbt:139"],
    wrong: ["0", "65536", "tcp:x", "445/tcp"],
  },
  CTDB_SAMBA_INTERFACES_FILE: PATHS_ONLY,
  CTDB_SAMBA_SKIP_SHARE_CHECK: YES_OR_NO,
  CTDB_SERVICE_NMB: SERVICES,
  CTDB_SERVICE_SAMBA_DCERPCD: SERVICES,
  CTDB_SERVICE_SMB: SERVICES,
  CTDB_SERVICE_WINBIND: SERVICES,
  CTDB_START_ISCSI_SCRIPTS: PATHS_ONLY,
  CTDB_STATD_CALLOUT_CONFIG_FILE: PATHS_ONLY,
  CTDB_STATD_CALLOUT_SHARED_STORAGE: {
    good: ["persistent_db", "persistent_db:x.tdb", "shared_dir:/x", "none"],
    wrong: ["yes", "shared_directory"],
  },
  CTDB_VSFTPD_MONITOR_THRESHOLDS: THRESHOLDS,
};

/** A value of these is what a program or a service makes of it. */
const FREE = [
  "CTDB_DEBUG_HUNG_SCRIPT_STACKPAT",
  "CTDB_MONITOR_MPDEVICES",
  "CTDB_NFS_CALLOUT",
  "CTDB_NFS_DISTRO_STYLE",
  "CTDB_RPCINFO_LOCALHOST",
  "CTDB_RPCINFO_LOCALHOST6",
  "CTDB_SAMBA_INTERFACES_EXTRA",
];

test("each variable of event scripts takes its form, nothing, and no other", () => {
  expect([...Object.keys(VALUES), ...FREE].sort()).toEqual([...SCRIPT_VARIABLES].sort());
  for (const [name, { good, wrong }] of Object.entries(VALUES)) {
    for (const value of ["", ...good]) {
      expect(problems({ [FILE]: `${name}="${value}"\n` })).toEqual([]);
    }
    for (const value of wrong) {
      const [problem = ""] = problems({ [FILE]: `\nexport ${name}='${value}'\n` });
      expect(problem).toStartWith(`error "${FILE}": line 2: ${name}: expected `);
      expect(problem).toContain(`got "${value}"`);
    }
  }
});

test("nearly known names are hints, and names of others are theirs", () => {
  const text = "CTDB_NFS_CALOUT=x\nCTDB_MINE=y\nMY_SCRIPT=z\nPATH=/x\n";
  expect(problems({ [FILE]: text })).toEqual([
    `warning "${FILE}": line 1: expected a variable that event scripts read, got "CTDB_NFS_CALOUT" (did you mean "CTDB_NFS_CALLOUT"?)`,
    `warning "${FILE}": line 2: expected a variable that event scripts read, got "CTDB_MINE"`,
  ]);
});

test("what only a shell can know is not judged, and given twice is told", () => {
  const text = `CTDB_NFS_CALLOUT_STATE_DIR=$X
if test -e /x; then CTDB_PARTIALLY_ONLINE_INTERFACES=yes; fi
CTDB_PARTIALLY_ONLINE_INTERFACES=no
CTDB_PARTIALLY_ONLINE_INTERFACES=maybe
`;
  expect(problems({ [FILE]: text })).toEqual([
    `error "${FILE}": line 4: CTDB_PARTIALLY_ONLINE_INTERFACES: expected yes or no, got "maybe"`,
    `warning "${FILE}": line 4: CTDB_PARTIALLY_ONLINE_INTERFACES: stands in line 3 already; the last one counts`,
  ]);
});

test("files of options beside the scripts are looked at, and need their script", () => {
  const legacy = "/e/events/legacy";
  const told = problems({
    [`${legacy}/05.system.options`]: "CTDB_MONITOR_MEMORY_USAGE=200\n",
    "/d/events/legacy/05.system.script": "",
    "/d/events/legacy/60.nfs.script": "",
    [`${legacy}/61.nfs.options`]: "",
    [`${legacy}/README`]: "A = B\n",
  });
  expect(told).toHaveLength(2);
  expect(told[0]).toStartWith(`error "${legacy}/05.system.options": line 1: `);
  expect(told[1]).toBe(
    `warning "${legacy}/61.nfs.options": expected a script "61.nfs.script" that reads it, there is none (did you mean "60.nfs"?)`,
  );
});
