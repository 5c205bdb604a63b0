/** The facts that daemons tell. Every node is asked at the same time, each question has a bound, and nothing is printed. */
import type { Clock } from "../../platform/types/time.ts";
import { textBeforeNul } from "../../wire/codec.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { ControlName, ControlReplyOf, ControlRequestOf } from "../../wire/controls.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { NodeAndFlags } from "../../wire/structs/cluster.ts";
import { healthProblem } from "../database_choice.ts";
import { knowledgeOf } from "../node_knowledge.ts";
import { Peers } from "../peers.ts";
import type { Session } from "../session.ts";
import type { ClusterFacts, NodeFacts } from "./facts.ts";
import { QUESTION_MS_MAX } from "./limits.ts";

const MS_PER_SEC = 1000;
const USEC_PER_MS = 1000;

/** What changes when somebody changes it, or now and then; a node's list of nodes may be what a command prints. */
export type SettledFacts = Pick<
  NodeFacts,
  | "nodesFile"
  | "tunables"
  | "lock"
  | "options"
  | "capabilities"
  | "statistics"
  | "unhealthyDatabases"
>;

/** For who looks again and again. */
export interface GatherOptions {
  /** The leader as the own daemon knows it, rather than as it is heard next. */
  readonly leaderAsKnown?: boolean;
  /** What was found lately will do. */
  readonly settledOf?: (pnn: number) => Promise<SettledFacts>;
}

/** Undefined when the own daemon does not tell its node map. */
export async function gatherCluster(
  session: Session,
  options: GatherOptions = {},
): Promise<ClusterFacts | undefined> {
  const { leaderAsKnown = false, settledOf = (pnn) => gatherSettled(session, pnn) } = options;
  const map = await answer(session, "GET_NODEMAP", undefined, session.pnn);
  if (map === undefined) return undefined;
  const members = map.filter(({ flags }) => (flags & NODE_FLAGS.DELETED) === 0);
  const peers = new Peers(session);
  const [nodes, heard, knowledge] = await Promise.all([
    Promise.all(members.map((node) => gatherNode(session, peers, node, settledOf))),
    leaderAsKnown ? undefined : session.leader(),
    knowledgeOf(session, session.pnn),
  ]);
  const known = knowledge?.leader === UNKNOWN_PNN ? undefined : knowledge?.leader;
  return { own: session.pnn, nodes, leader: leaderAsKnown ? known : heard, knowledge };
}

async function gatherNode(
  session: Session,
  peers: Peers,
  node: NodeAndFlags,
  settledOf: (pnn: number) => Promise<SettledFacts>,
): Promise<NodeFacts> {
  const nothing = nothingOf(node);
  if ((node.flags & NODE_FLAGS.DISCONNECTED) !== 0) return nothing;
  const clock = await clockOf(session, node.pnn);
  if (clock === "silent") return { ...nothing, state: "silent" };
  const ask = <N extends Unasked>(name: N) =>
    answer(session, name, undefined as ControlRequestOf<N>, node.pnn);
  const health = peers.health(node.pnn);
  const [settled, nodeMap, ips, ifaces, runstate, mode, said] = await Promise.all([
    settledOf(node.pnn),
    ask("GET_NODEMAP"),
    ask("GET_PUBLIC_IPS"),
    ask("GET_IFACES"),
    ask("GET_RUNSTATE"),
    session.attempt("GET_RECMODE", undefined, node.pnn),
    health,
  ]);
  return {
    ...nothing,
    ...settled,
    state: "answers",
    clockOffsetMs: clock?.offsetMs,
    upSec: clock?.upSec,
    recoveryActive: mode.ok ? mode.value.status !== 0 : undefined,
    runstate,
    nodeMap,
    publicIps: ips?.map(({ addr, pnn }) => ({ address: addr.address, pnn })),
    interfaces: ifaces?.map(({ name, link_state }) => ({ name, up: link_state !== 0 })),
    health: typeof said === "string" ? undefined : said,
  };
}

export async function gatherSettled(session: Session, pnn: number): Promise<SettledFacts> {
  const ask = <N extends Unasked>(name: N) =>
    answer(session, name, undefined as ControlRequestOf<N>, pnn);
  const [nodesFile, tunables, lock, options, capabilities, statistics, unhealthyDatabases] =
    await Promise.all([
      ask("GET_NODES_FILE"),
      ask("GET_ALL_TUNABLES"),
      ask("GET_RECLOCK_FILE"),
      new Peers(session).options(pnn),
      ask("GET_CAPABILITIES"),
      ask("STATISTICS"),
      databasesOf(session, pnn),
    ]);
  return {
    nodesFile,
    tunables,
    lock: lock === undefined ? undefined : textBeforeNul(lock),
    options,
    capabilities,
    statistics,
    unhealthyDatabases,
  };
}

function limitMs(session: Session): number {
  return Math.min(session.timeoutMs, QUESTION_MS_MAX);
}

/** Controls that ask without saying more. */
type Unasked = {
  [N in ControlName]: ControlRequestOf<N> extends undefined ? N : never;
}[ControlName];

async function answer<N extends ControlName>(
  session: Session,
  name: N,
  request: ControlRequestOf<N>,
  pnn: number,
): Promise<ControlReplyOf<N> | undefined> {
  const said = await session.attempt(name, request, pnn, { timeoutMs: limitMs(session) });
  return said.ok ? said.value.data : undefined;
}

/** Of a node that was not asked: nothing is known. */
export function nothingOf({ pnn, addr, flags }: NodeAndFlags): NodeFacts {
  return {
    pnn,
    address: addr.address,
    flags,
    state: "not asked",
    clockOffsetMs: undefined,
    upSec: undefined,
    recoveryActive: undefined,
    runstate: undefined,
    nodeMap: undefined,
    nodesFile: undefined,
    tunables: undefined,
    lock: undefined,
    options: undefined,
    publicIps: undefined,
    interfaces: undefined,
    capabilities: undefined,
    statistics: undefined,
    health: undefined,
    unhealthyDatabases: [],
  };
}

/**
 * The time of a node against ours: it was read between question and answer, so that much of the difference is not
 * certain. The first question to a node, so that no other of ours delays it.
 */
async function clockOf(
  session: Session,
  pnn: number,
): Promise<{ offsetMs: number; upSec: number } | "silent" | undefined> {
  const before = milliseconds(session.host.clock.wallTime());
  const said = await session.attempt("UPTIME", undefined, pnn, { timeoutMs: limitMs(session) });
  const after = milliseconds(session.host.clock.wallTime());
  if (!said.ok) return said.error.kind === "timeout" ? "silent" : undefined;
  const { current_time, ctdbd_start_time } = said.value.data;
  const theirs = milliseconds(current_time);
  const offsetMs = theirs > after ? theirs - after : Math.min(0, theirs - before);
  return { offsetMs, upSec: current_time.sec - ctdbd_start_time.sec };
}

function milliseconds({ sec, usec }: ReturnType<Clock["wallTime"]>): number {
  return sec * MS_PER_SEC + usec / USEC_PER_MS;
}

async function databasesOf(
  session: Session,
  pnn: number,
): Promise<NodeFacts["unhealthyDatabases"]> {
  const databases = (await answer(session, "GET_DBMAP", undefined, pnn)) ?? [];
  const found = await Promise.all(
    databases.map(async ({ db_id }) => {
      const said = await answer(session, "DB_GET_HEALTH", db_id, pnn);
      const reason = said === undefined ? undefined : healthProblem(said);
      if (reason === undefined) return undefined;
      const name = await answer(session, "GET_DBNAME", db_id, pnn);
      return { name: name ?? `0x${db_id.toString(16)}`, reason };
    }),
  );
  return found.filter((each) => each !== undefined);
}
