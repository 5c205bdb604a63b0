/** Checks of directories, disks, the lock file, database files, scripts and the log. */
import { type Check, local, when } from "../check.ts";
import type { DirectoryFacts, LocalFacts, LockFacts, ScriptFacts } from "../facts.ts";
import {
  INODES_SHARE_MIN,
  RECENT_PROBLEM_LINES,
  SPACE_BYTES_FULL,
  SPACE_BYTES_MIN,
  SPACE_SHARE_MIN,
} from "../limits.ts";
import { isOwnAddress } from "./own_addresses.ts";

const OTHERS_WRITE = 0o022;
const OWNER_EXECUTES = 0o100;
/** smbd itself gives volatile databases such as locking.tdb the mode 0644 when it opens them. */
const SMBD_OPENS = 0o044;
const OTHERS_ANY = 0o077;
const VANISHING = new Set(["tmpfs", "ramfs"]);

export const FILE_CHECKS: readonly Check[] = [
  local(
    {
      id: "directory-unusable",
      severity: "error",
      examines: "that the directories of databases, logs and sockets are there and can be written",
      why: "ctdbd makes files there: without them it does not start, or refuses databases",
      remedy: "create the directory, mount its file system for writing, give it to root",
    },
    ({ directories }) => directories.flatMap(unusable),
  ),
  local(
    {
      id: "directory-open-to-others",
      severity: "warning",
      examines: "that only root can write into these directories",
      why: "who can put files there can change what clients are told, or become root",
      remedy: "chown root and chmod go-w the directory",
    },
    ({ directories, uid }) => directories.flatMap((each) => openToOthers(each, uid)),
  ),
  local(
    {
      id: "databases-on-tmpfs",
      severity: "error",
      examines: "that persistent and state databases are not on a file system in memory",
      why: "passwords, group mappings and the machine's own account are lost when the machine restarts",
      remedy: "move the directory to a local disk, and name it in section [database] of ctdb.conf",
    },
    ({ directories }) => directories.flatMap(vanishing),
  ),
  local(
    {
      id: "disk-full",
      severity: "error",
      examines: "that disks of databases and logs have space and inodes",
      why: "commits fail, databases cannot grow, a recovery cannot end",
      remedy: "free space there, or make the file system larger",
    },
    ({ directories }) => onceEach(directories, "full"),
  ),
  local(
    {
      id: "disk-nearly-full",
      severity: "warning",
      examines: "that these disks are not nearly full",
      why: "when the disk is full, commits fail and a recovery cannot end",
      remedy: "free space there, or make the file system larger",
    },
    ({ directories }) => onceEach(directories, "nearly full"),
  ),
  local(
    {
      id: "database-file-damaged",
      severity: "error",
      examines: "the beginning of every database file",
      why: "the database cannot be opened: ctdbd sets the file aside, or calls the node unhealthy",
      remedy:
        "stop ctdbd here and move the file away: a persistent database comes back from the other nodes",
    },
    ({ databases }) =>
      databases
        .filter(({ isTdb, found }) => !isTdb && found !== undefined)
        .map(({ path }) => `"${path}" is no TDB file`),
  ),
  local(
    {
      id: "database-set-aside",
      severity: "warning",
      examines: "files of corrupt databases that were set aside",
      why: "a disk, memory or power has failed, and records that no other node had are only in that file",
      remedy: "look for what broke it; remove the file when nothing in it is needed any more",
    },
    ({ databases }) =>
      databases
        .filter(({ setAside }) => setAside)
        .map(({ path }) => `A corrupt database was set aside as "${path}"`),
  ),
  local(
    {
      id: "database-file-permissions",
      severity: "warning",
      examines: "owner and mode of database files",
      why: "databases hold secrets, and who can write them can become anybody",
      remedy: "chown root and chmod 600 the file",
    },
    ({ databases, uid, config }) =>
      databases.flatMap(({ path, found }) =>
        when(
          found !== undefined &&
            uid === 0 &&
            (found.uid !== 0 || (found.mode & closedBits(path, config)) !== 0),
          () => `"${path}" has mode ${octal(found?.mode)} and belongs to user ${found?.uid}`,
        ),
      ),
  ),
  local(
    {
      id: "cluster-lock-unusable",
      severity: "error",
      examines: "that the directory of the cluster lock is there and can be written",
      why: "no node can become leader without the lock: there is no recovery and no failover",
      remedy: 'mount the cluster file system, create the directory, then look at "ctdb leader"',
    },
    ({ lock }) => (lock?.path === undefined ? [] : lockUnusable(lock, lock.path)),
  ),
  local(
    {
      id: "cluster-lock-on-local-disk",
      severity: "warning",
      examines: "that the cluster lock is on a file system that all nodes share",
      why: "each node gets a lock of its own there: it keeps nobody from acting as a second leader",
      remedy:
        'set "cluster lock" on all nodes to a file of the cluster file system, or to a helper',
    },
    (facts) => lockOnLocalDisk(facts),
  ),
  local(
    {
      id: "cluster-lock-helper-missing",
      severity: "error",
      examines: "that the program that holds the cluster lock can be run",
      why: "no node can become leader without the lock: there is no recovery and no failover",
      remedy: 'install it, make it executable, or correct "cluster lock" in ctdb.conf',
    },
    ({ lock }) =>
      when(
        lock !== undefined && !isExecutable(lock.helperFound),
        () =>
          `"${lock?.helper}" ${lock?.helperFound === undefined ? "does not exist" : "is not executable"}`,
      ),
  ),
  local(
    {
      id: "event-scripts-none",
      severity: "warning",
      examines: "that event scripts are enabled",
      why: "without scripts nobody puts public addresses onto interfaces or looks whether services work",
      remedy: "enable those that this node needs: ctdb event script enable legacy 10.interface",
    },
    ({ scripts, paths }) =>
      when(
        !scripts.some(({ found }) => isExecutable(found)),
        () => `No script in "${paths.etcDirectory}/events/legacy" is enabled`,
      ),
  ),
  local(
    {
      id: "interface-script-disabled",
      severity: "error",
      examines: "that 10.interface is enabled where there are public addresses",
      why: "public addresses are assigned to nodes, and never get onto an interface",
      remedy: "ctdb event script enable legacy 10.interface",
    },
    ({ scripts, publicAddresses, config }) =>
      when(
        publicAddresses.ok &&
          publicAddresses.value.length > 0 &&
          !config.failover.disabled &&
          !scripts.some(
            ({ path, found }) => path.endsWith("/10.interface.script") && isExecutable(found),
          ),
        () => "There are public addresses, and 10.interface is not enabled",
      ),
  ),
  local(
    {
      id: "event-script-dangling",
      severity: "error",
      examines: "that links to event scripts lead to a script",
      why: "what the script did for its service no longer happens on this node",
      remedy: "install the package that the script came with, or disable the script",
    },
    ({ scripts, notifications }) =>
      [...scripts, ...notifications]
        .filter(({ found }) => found === undefined)
        .map(({ path }) => `"${path}" leads to no script`),
  ),
  local(
    {
      id: "event-script-disabled",
      severity: "note",
      examines: "event scripts that are there and not executable",
      why: "a script that is not executable is not run",
      remedy: "chmod +x the script if it is meant to run",
    },
    ({ scripts }) => scripts.filter(isDisabled).map(({ path }) => `"${path}" is not executable`),
  ),
  local(
    {
      id: "notification-script-disabled",
      severity: "warning",
      examines: "that notification scripts are executable",
      why: "nobody is told when the node becomes unhealthy",
      remedy: "chmod +x the script, or remove it",
    },
    ({ notifications }) =>
      notifications.filter(isDisabled).map(({ path }) => `"${path}" is not executable`),
  ),
  local(
    {
      id: "log-of-failures",
      severity: "warning",
      examines:
        "how many of the last lines of the log, and of the last ten minutes, speak of failures",
      why: "something fails again and again",
      remedy: "read the log",
    },
    ({ log: { path, recentProblems } }) =>
      when(
        recentProblems.length >= RECENT_PROBLEM_LINES,
        () =>
          `${recentProblems.length} lines of "${path}" speak of failures, the last: ${recentProblems.at(-1)}`,
      ),
  ),
];

function unusable({ purpose, path, found, writable }: DirectoryFacts): readonly string[] {
  const what = `The directory of ${purpose}, "${path}",`;
  if (found === undefined) return [`${what} does not exist`];
  if (found.kind !== "directory") return [`${what} is no directory`];
  return when(!writable, () => `${what} cannot be written`);
}

function openToOthers({ path, found }: DirectoryFacts, uid: number): readonly string[] {
  return when(
    found?.kind === "directory" &&
      uid === 0 &&
      (found.uid !== 0 || (found.mode & OTHERS_WRITE) !== 0),
    () => `"${path}" has mode ${octal(found?.mode)} and belongs to user ${found?.uid}`,
  );
}

function vanishing({ purpose, path, fileSystem }: DirectoryFacts): readonly string[] {
  const lasts = purpose === "persistent databases" || purpose === "state databases";
  const type = fileSystem?.type ?? "";
  return when(
    lasts && VANISHING.has(type),
    () => `The directory of ${purpose}, "${path}", is on a ${type}`,
  );
}

/** Directories on one disk have the same numbers, and are one finding. */
function onceEach(
  directories: readonly DirectoryFacts[],
  state: "full" | "nearly full",
): readonly string[] {
  const found = new Map<string, string>();
  for (const { path, fileSystem: disk, purpose } of directories) {
    if (disk === undefined || purpose === "sockets" || stateOf(disk) !== state) continue;
    const key = `${disk.totalBytes} ${disk.freeBytes} ${disk.freeInodes}`;
    if (found.has(key)) continue;
    const free = `${Math.floor(disk.freeBytes / 2 ** 20)} MiB and ${disk.freeInodes} inodes free`;
    found.set(key, `The disk of "${path}" is ${state}: ${free}`);
  }
  return [...found.values()];
}

function stateOf(disk: NonNullable<DirectoryFacts["fileSystem"]>): "full" | "nearly full" | "fine" {
  const { totalBytes, freeBytes, totalInodes, freeInodes } = disk;
  if (totalBytes === 0) return "fine";
  const noInodes = totalInodes > 0 && freeInodes === 0;
  const fewInodes = totalInodes > 0 && freeInodes / totalInodes < INODES_SHARE_MIN;
  const share = freeBytes / totalBytes;
  if (noInodes || (freeBytes < SPACE_BYTES_FULL && share < SPACE_SHARE_MIN)) return "full";
  return fewInodes || (freeBytes < SPACE_BYTES_MIN && share < SPACE_SHARE_MIN)
    ? "nearly full"
    : "fine";
}

function lockUnusable({ directory, writable }: LockFacts, path: string): readonly string[] {
  if (directory === undefined)
    return [`The directory of the cluster lock "${path}" does not exist`];
  return when(!writable, () => `The directory of the cluster lock "${path}" cannot be written`);
}

/** Nodes on one machine share its disks. */
function lockOnLocalDisk(facts: LocalFacts): readonly string[] {
  const { lock, nodes } = facts;
  const addresses = typeof nodes !== "string" && nodes.ok ? nodes.value : [];
  const isShared = addresses.every(
    ({ address, deleted }) => deleted || isOwnAddress(facts, address),
  );
  return when(
    !isShared && lock?.fileSystem?.isLocal === true,
    () => `The cluster lock "${lock?.path}" is on ${lock?.fileSystem?.type} of this machine`,
  );
}

function isExecutable(found: ScriptFacts["found"]): boolean {
  return found?.kind === "file" && (found.mode & OWNER_EXECUTES) !== 0;
}

function isDisabled({ found }: ScriptFacts): boolean {
  return found !== undefined && !isExecutable(found);
}

function octal(mode = 0): string {
  return mode.toString(8).padStart(4, "0");
}

/** What others must not do with the file. */
function closedBits(path: string, { database }: LocalFacts["config"]): number {
  const isVolatile = path.startsWith(`${database.volatileDirectory}/`);
  return isVolatile ? OTHERS_ANY & ~SMBD_OPENS : OTHERS_ANY;
}
