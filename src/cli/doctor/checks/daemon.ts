/** Checks of the daemon on this machine, and of who can be reached from it. */
import { type Check, cluster, local, when } from "../check.ts";
import type { DaemonFacts, Facts, ReachFacts } from "../facts.ts";
import { OPEN_FILES_MIN } from "../limits.ts";
import type { Reach } from "../machine.ts";

const ENDED_OR_STOPPED = new Set(["T", "t", "Z", "X"]);
const RECOVERY_DAEMON = /^ctdb[-_]recoverd/;
/** As far as the kernel keeps a name. */
const LOCK_HELPER = "ctdb_mutex_fcnt";

export const DAEMON_CHECKS: readonly Check[] = [
  local(
    {
      id: "daemon-not-running",
      severity: "error",
      examines: "that ctdbd runs on this machine",
      why: "the node serves nobody, and what only a running daemon knows was not looked at",
      remedy: "mend what the log says, then start it: systemctl start ctdb",
    },
    (facts, { daemon }) =>
      when(daemon.problem?.kind === "nobody" && !isCtdbd(daemon), () => {
        const { path, lastLines } = facts.log;
        const said = lastLines.length === 0 ? "" : `; the log ends with: ${lastLines.join(" | ")}`;
        return `ctdbd does not run${path === undefined ? "" : said}`;
      }),
  ),
  local(
    {
      id: "daemon-silent",
      severity: "error",
      examines: "that ctdbd answers at its socket",
      why: "smbd waits for answers that do not come, and other nodes will soon count this one as dead",
      remedy:
        "look at the process (is it stopped, does it wait for a disk?) and at the log; restart it",
    },
    (_, { daemon }) =>
      when(
        daemon.problem?.kind === "silent" || (daemon.problem !== undefined && isCtdbd(daemon)),
        () => `ctdbd runs and does not answer: ${daemon.problem?.reason}`,
      ),
  ),
  local(
    {
      id: "pid-file-stale",
      severity: "warning",
      examines: "that the pid file names the daemon that runs",
      why: "service managers and scripts take another process for ctdbd, or none",
      remedy: "start ctdbd, which writes it anew",
    },
    ({ paths }, { daemon }) => stalePidFile(paths.pidFile, daemon),
  ),
  local(
    {
      id: "socket-open-to-others",
      severity: "error",
      examines: "owner and mode of the daemon's socket",
      why: "who can connect can read and change every database, and stop the node",
      remedy: "restart ctdbd, which makes its socket for root only",
    },
    ({ uid }, { daemon: { socket, socketFile } }) =>
      when(
        uid === 0 &&
          socketFile?.kind === "socket" &&
          (socketFile.uid !== 0 || (socketFile.mode & 0o077) !== 0),
        () =>
          `"${socket}" has mode ${socketFile?.mode.toString(8)} and belongs to user ${socketFile?.uid}`,
      ),
  ),
  local(
    {
      id: "executable-replaced",
      severity: "warning",
      examines: "that the running daemon is the installed one",
      why: "two versions run on one node: helpers and tools of the new one meet a daemon of the old one",
      remedy: "restart ctdbd on this node",
    },
    (_, facts) => replacedExecutable(facts),
  ),
  local(
    {
      id: "open-files-few",
      severity: "warning",
      examines: "how many files the daemon may have open",
      why: "every smbd process is a connection: when there are no more descriptors, clients are turned away",
      remedy: "set LimitNOFILE (ulimit -n) of the service to 1048576 and restart ctdbd",
    },
    (_, { daemon: { openFilesMax, process } }) =>
      when(
        openFilesMax !== undefined && openFilesMax < OPEN_FILES_MIN,
        () => `ctdbd (process ${process?.pid}) may have ${openFilesMax} files open`,
      ),
  ),
  local(
    {
      id: "realtime-not-possible",
      severity: "note",
      examines: "that the daemon runs with realtime scheduling where ctdb.conf asks for it",
      why: "on a busy machine the node may answer so late that others count it as dead",
      remedy:
        "allow it to Samba's ctdbd (LimitRTPRIO, no cgroup in the way); ours does without it: set " +
        '"realtime scheduling = false"',
    },
    ({ paths, realtimeIsWanted }, { daemon }) =>
      when(
        daemon.problem === undefined &&
          realtimeIsWanted &&
          !paths.testMode &&
          daemon.process?.isRealtime === false,
        () => "ctdb.conf asks for realtime scheduling, and ctdbd runs without",
      ),
  ),
  cluster(
    {
      id: "recovery-daemon-dead",
      severity: "error",
      examines: "that the recovery daemon of this node runs",
      why: "this node takes part in no election and starts no recovery; its addresses are not watched",
      remedy: "if it is stopped, continue it (kill -CONT); otherwise restart ctdbd",
    },
    (_, { daemon }) => deadRecoveryDaemon(daemon),
  ),
  cluster(
    {
      id: "event-daemon-dead",
      severity: "error",
      examines: "that the event daemon answers",
      why: "no event script runs: addresses neither come nor go, and nobody looks whether services work",
      remedy: "if it is stopped, continue it (kill -CONT); otherwise restart ctdbd",
    },
    (_, { daemon: { eventDaemonProblem } }) =>
      when(
        eventDaemonProblem !== "",
        () => `The event daemon of this node does not answer: ${eventDaemonProblem}`,
      ),
  ),
  cluster(
    {
      id: "cluster-lock-helper-dead",
      severity: "error",
      examines: "that the leader's helper holds the cluster lock",
      why: "nobody keeps another node from becoming a second leader",
      remedy: "if the helper is stopped, continue it (kill -CONT); otherwise: ctdb recover",
    },
    (known, { local: { lock }, daemon: { family } }) => {
      if (known.leader !== known.own || lock === undefined || lock.setting.startsWith("!"))
        return [];
      const helpers = family.filter(({ name }) => name === LOCK_HELPER);
      return when(
        helpers.length === 0 || !helpers.every(runs),
        () => "This node is leader, and no helper of it holds the cluster lock",
      );
    },
  ),
  reachCheck(
    "node-behind-firewall",
    ["timeout"],
    "that nodes from which nothing is heard let connections through",
    "something drops the packets between the nodes, which then count each other as dead",
    "open TCP port 4379 in both directions between all nodes (iptables -L, nft list ruleset); is the machine on?",
    "does not answer at all",
  ),
  reachCheck(
    "node-daemon-down",
    ["refused"],
    "that ctdbd runs on machines from which nothing is heard",
    "that machine is up, and its ctdbd is not",
    "look at the log of ctdbd on that node, and start it there",
    "refuses connections: its machine runs, its ctdbd does not",
  ),
  reachCheck(
    "node-unreachable",
    ["unreachable"],
    "that there is a way to nodes from which nothing is heard",
    "the network says that there is no way to that node",
    "is the machine on, is its private interface up, is the address in the nodes list the right one?",
    "cannot be reached",
  ),
  cluster(
    {
      id: "node-one-way",
      severity: "error",
      examines: "that nodes which accept connections are connected",
      why: "nodes need a connection each way: one that has only one counts as disconnected",
      remedy:
        "look for a firewall on this node's side, and compare the nodes lists (nodes-files-differ)",
    },
    (_, { daemon: { reach } }) =>
      reachTexts(reach, ["open"], "accepts connections, and is not connected"),
  ),
];

function reachCheck(
  id: string,
  kinds: readonly Reach[],
  examines: string,
  why: string,
  remedy: string,
  what: string,
): Check {
  return local({ id, severity: "error", examines, why, remedy }, (_, { daemon: { reach } }) =>
    reachTexts(reach, kinds, what),
  );
}

function reachTexts(
  reach: readonly ReachFacts[],
  kinds: readonly Reach[],
  what: string,
): readonly string[] {
  return reach
    .filter((each) => kinds.includes(each.reach))
    .map(({ pnn, address }) => `Node ${pnn}, "${address}" port 4379, ${what}`);
}

/** The pid file's process may be anybody by now. */
function isCtdbd({ process }: DaemonFacts): boolean {
  return process?.name.startsWith("ctdbd") === true && process.state !== "Z";
}

function stalePidFile(path: string, daemon: DaemonFacts): readonly string[] {
  const { filePid, pid, problem } = daemon;
  if (filePid === undefined)
    return when(pid !== undefined, () => `"${path}" does not name ctdbd, which is process ${pid}`);
  if (pid !== undefined) {
    return when(
      pid !== filePid,
      () => `"${path}" names process ${filePid}, and ctdbd is process ${pid}`,
    );
  }
  return when(
    problem !== undefined && !isCtdbd(daemon),
    () => `"${path}" names process ${filePid}, which is no ctdbd`,
  );
}

/** Only our daemon tells what it knows: a tool of ours beside Samba's daemon is another program anyhow. */
function replacedExecutable({
  daemon,
  cluster: known,
  local: { paths },
}: Facts): readonly string[] {
  const { executable, toolFile, process } = daemon;
  if (executable === undefined || process === undefined) return [];
  if (executable.replaced) {
    return [
      `ctdbd (process ${process.pid}) runs "${executable.path}", which has been replaced or removed`,
    ];
  }
  const isOurs = known?.knowledge !== undefined;
  const differs =
    toolFile !== undefined &&
    toolFile.identity !== executable.file.identity &&
    toolFile.size !== executable.file.size;
  return when(
    isOurs && differs && !paths.testMode,
    () => `ctdbd (process ${process.pid}) and this ctdb are of different releases`,
  );
}

function deadRecoveryDaemon({ family, process }: DaemonFacts): readonly string[] {
  if (process === undefined) return [];
  const found = family.filter(({ name }) => RECOVERY_DAEMON.test(name));
  if (found.some(runs)) return [];
  const [first] = found;
  const how = first === undefined ? "does not run" : `(process ${first.pid}) is stopped or dead`;
  return [`The recovery daemon of this node ${how}`];
}

function runs({ state }: { readonly state: string }): boolean {
  return !ENDED_OR_STOPPED.has(state);
}
