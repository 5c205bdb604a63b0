/** All facts of `ctdb doctor`: of this machine, of the daemon on it, and of the nodes that it reaches. */
import { CTDB_PORT, NODE_FLAGS } from "../../wire/constants.ts";
import { whyUnhealthy } from "../event_status.ts";
import type { ToolHost } from "../host.ts";
import { trySession } from "../open_session.ts";
import type { ToolOptions } from "../options.ts";
import type { Session } from "../session.ts";
import type { ClusterFacts, DaemonFacts, Facts, LocalFacts, ReachFacts } from "./facts.ts";
import { gatherCluster } from "./gather_cluster.ts";
import { gatherFiles } from "./gather_files.ts";
import { QUESTION_MS_MAX } from "./limits.ts";
import type { Machine, ProcessFacts } from "./machine.ts";

export async function gatherFacts(host: ToolHost, options: ToolOptions): Promise<Facts> {
  const machine = await host.machine();
  const local = await gatherFiles(host, machine);
  const timelimit = Math.min(options.timelimit, QUESTION_MS_MAX / 1000);
  const opened = await trySession(host, { timelimit }, timelimit * 1000);
  if (!opened.ok) {
    const kind = opened.error.kind === "disconnected" ? "nobody" : "silent";
    const problem = { kind, reason: opened.error.reason } as const;
    const daemon = await daemonFacts(host, machine, local, { problem, pid: undefined });
    return { local, daemon, cluster: undefined };
  }
  const session = opened.value;
  try {
    const cluster = await gatherCluster(session);
    const pid = await pidOf(session);
    const daemon = await daemonFacts(host, machine, local, { problem: undefined, pid, cluster });
    return { local, daemon, cluster };
  } finally {
    session.client.close();
  }
}

async function pidOf(session: Session): Promise<number | undefined> {
  const said = await session.attempt("GET_PID", undefined, session.pnn);
  return said.ok ? said.value.status : undefined;
}

interface Answer extends Pick<DaemonFacts, "problem" | "pid"> {
  readonly cluster?: ClusterFacts | undefined;
}

async function daemonFacts(
  host: ToolHost,
  machine: Machine,
  local: LocalFacts,
  { problem, pid, cluster }: Answer,
): Promise<DaemonFacts> {
  const { socket, eventSocket, pidFile } = local.paths;
  const filePid = numberIn(machine.head(pidFile, PID_FILE_BYTES));
  const all = machine.processes();
  const running = all.find((each) => each.pid === (pid ?? filePid));
  const [events, reach] = await Promise.all([
    problem === undefined ? whyUnhealthy(host, eventSocket) : undefined,
    Promise.all(strangers(local, cluster).map((node) => reachOf(machine, node))),
  ]);
  const isUnhealthy = cluster?.nodes.some(
    ({ pnn, flags }) => pnn === cluster.own && (flags & NODE_FLAGS.UNHEALTHY) !== 0,
  );
  return {
    socket,
    socketFile: machine.stat(socket),
    filePid,
    problem,
    pid,
    process: running,
    family: running === undefined ? [] : familyOf(running, all),
    executable: running === undefined ? undefined : machine.executableOf(running.pid),
    toolFile: machine.stat(machine.executable.path),
    openFilesMax: running === undefined ? undefined : machine.openFilesMax(running.pid),
    eventDaemonProblem: events?.ok === false ? events.error : "",
    failures: isUnhealthy === true && events?.ok === true ? events.value : [],
    reach,
  };
}

const PID_FILE_BYTES = 16;

function numberIn(text: string | undefined): number | undefined {
  const pid = Number(text?.trim());
  return text !== undefined && Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

function familyOf(parent: ProcessFacts, all: readonly ProcessFacts[]): readonly ProcessFacts[] {
  const family = [parent];
  for (const member of family) {
    family.push(...all.filter((each) => each.parent === member.pid && !family.includes(each)));
  }
  return family;
}

/** Nodes of whom nothing is heard: with them a connection is tried, and nothing is sent. */
function strangers(
  local: LocalFacts,
  cluster: ClusterFacts | undefined,
): readonly Pick<ReachFacts, "pnn" | "address">[] {
  if (cluster !== undefined) {
    return cluster.nodes.filter(({ flags }) => (flags & NODE_FLAGS.DISCONNECTED) !== 0);
  }
  if (typeof local.nodes === "string" || !local.nodes.ok) return [];
  const own = new Set(local.interfaces.flatMap(({ addresses }) => addresses.map(addressText)));
  const { nodeAddress } = local.config.cluster;
  return local.nodes.value.filter(
    ({ address, deleted }) => !deleted && !own.has(address) && address !== nodeAddress,
  );
}

function addressText({ address }: { readonly address: string }): string {
  return address;
}

async function reachOf(
  machine: Machine,
  { pnn, address }: Pick<ReachFacts, "pnn" | "address">,
): Promise<ReachFacts> {
  return { pnn, address, reach: await machine.reach(address, CTDB_PORT, QUESTION_MS_MAX) };
}
