/**
 * Controls by which the leader takes this node through a recovery: recovery mode, start, end, freeze.
 *
 * Invariant: the recovery mode becomes NORMAL only when every database has the generation of the vnn
 * map, also after the wait for the check of the cluster lock.
 */
import type { Logger } from "../../base/log.ts";
import {
  type ControlHandlers,
  type ControlReply,
  type ControlRequest,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../../control/control_request.ts";
import type { OwnControlDone } from "../../control/pending_controls.ts";
import type { ClusterLockProbe, ProbeOutcome } from "../../lock/cluster_lock_probe.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import { EMPTY } from "../../wire/codec.ts";
import { RECOVERY_ACTIVE, RECOVERY_NORMAL } from "../../wire/constants.ts";
import { textUpToNul } from "../../wire/packets/call.ts";
import type { DatabasePart } from "../database_part.ts";
import type { Actors } from "../journal/actors.ts";
import type { NodeEvents } from "../lifecycle/node_events.ts";
import type { NodeFreeze } from "../lifecycle/node_freeze.ts";
import type { NodeState } from "../lifecycle/node_state.ts";
import type { NodeStatistics } from "../report/node_statistics.ts";

export interface RecoveryControlParts {
  readonly nodes: NodeTable;
  readonly vnnMap: VnnMap;
  readonly state: NodeState;
  readonly database: DatabasePart;
  readonly freeze: NodeFreeze;
  readonly events: NodeEvents;
  readonly statistics: NodeStatistics;
  readonly clusterLock: string | undefined;
  /** Asked only when a cluster lock is configured. */
  readonly clusterLockProbe: ClusterLockProbe | undefined;
  readonly log: Logger;
  readonly actors: Actors;
  /** GET_RECLOCK_FILE to a node. */
  askClusterLock(pnn: number, done: OwnControlDone): void;
  shutdown(exitCode: number, reason: string): void;
}

export function recoveryControls(parts: RecoveryControlParts): ControlHandlers {
  const { state, freeze } = parts;
  const owed: OwedComparison = { leader: undefined };
  return {
    GET_RECMODE: () => ({ status: state.recoveryMode }),
    SET_RECMODE: (mode, from, later) => setRecoveryMode(parts, mode, from, later),
    START_RECOVERY: (_request, from, later) => {
      startRecovery(parts, owed, from.srcnode, later);
      return "later";
    },
    END_RECOVERY: (_request, from, later) => {
      endRecovery(parts, owed, from.srcnode, later);
      return "later";
    },
    FREEZE: (_request, _from, later) => {
      freeze.freeze((outcome) => later(outcome.ok ? SUCCESS : failure(outcome.error)));
      return "later";
    },
  };
}

function setRecoveryMode(
  parts: RecoveryControlParts,
  mode: number,
  from: ControlRequest,
  later: ReplyLater,
): ControlReply | "later" {
  const { state, freeze, log, clusterLock, clusterLockProbe, statistics, actors } = parts;
  if (mode !== RECOVERY_ACTIVE && mode !== RECOVERY_NORMAL) {
    return failure(`expected recovery mode ${RECOVERY_NORMAL} or ${RECOVERY_ACTIVE}, got ${mode}`);
  }
  if (mode === state.recoveryMode) {
    // One of two recoveries at a time has made it NORMAL, the other one has set the vnn map.
    const problem = mode === RECOVERY_NORMAL ? generationProblem(parts) : undefined;
    return problem === undefined ? SUCCESS : failure(problem);
  }
  const who = actors.text(actors.of(from));
  log.notice(`Recovery mode set to ${mode === RECOVERY_NORMAL ? "NORMAL" : "ACTIVE"}`);
  if (mode === RECOVERY_ACTIVE) {
    state.setRecovering(true, `${who} asked for it`);
    return SUCCESS;
  }
  const problem = generationProblem(parts);
  if (problem !== undefined) return failure(problem);
  if (freeze.frozen) freeze.thaw();
  if (clusterLock === undefined || clusterLockProbe === undefined) {
    state.setRecovering(false, `${who} has ended the recovery`);
    return SUCCESS;
  }
  clusterLockProbe.probe((outcome, latencySec) => {
    if (outcome === "contended") statistics.addClusterLockLatency("ctdbd", latencySec);
    if (outcome === "timeout") {
      log.warning("Time out getting recovery lock, allowing recmode set anyway");
    }
    const refused = probeProblem(clusterLock, outcome) ?? generationProblem(parts);
    if (refused !== undefined) {
      log.error(refused);
      return later(failure(refused));
    }
    state.setRecovering(false, `${who} has ended the recovery`);
    later(SUCCESS);
  });
  return "later";
}

function generationProblem(parts: RecoveryControlParts): string | undefined {
  const { generation } = parts.vnnMap;
  const name = parts.database.databaseOfOtherGeneration(generation);
  if (name === undefined) return undefined;
  const problem = `database "${name}" is not of generation ${generation}, the recovery is not over`;
  parts.log.error(problem);
  return problem;
}

function probeProblem(lock: string, outcome: ProbeOutcome): string | undefined {
  if (outcome === "error") return `Unexpected error when testing cluster lock "${lock}"`;
  if (outcome !== "taken") return undefined;
  return (
    `Took cluster lock "${lock}" from the leader during recovery - ` +
    "probably a cluster filesystem lock coherence problem"
  );
}

/**
 * Whose cluster lock is still to be compared with ours: a leader may see us before we see it, and cannot be asked when the
 * recovery begins.
 */
interface OwedComparison {
  leader: number | undefined;
}

function startRecovery(
  parts: RecoveryControlParts,
  owed: OwedComparison,
  leader: number,
  later: ReplyLater,
): void {
  const { state, nodes, events, log } = parts;
  log.error("Recovery has started");
  state.recoveryStarted();
  const runEvent = () =>
    events.run("startrecovery", [], (status) => {
      if (status !== 0) log.error(`startrecovery event script failed (status ${status})`);
      later({ status: 0 - status });
    });
  owed.leader = undefined;
  if (nodes.connected(leader)) {
    compareLocks(parts, leader, later, runEvent);
    return;
  }
  owed.leader = leader;
  runEvent();
}

/** `same` runs when the leader has the lock that we have; otherwise this node shuts down. */
function compareLocks(
  parts: RecoveryControlParts,
  leader: number,
  later: ReplyLater,
  same: () => void,
): void {
  const { log, nodes } = parts;
  parts.askClusterLock(leader, (answer) => {
    if (!answer.ok) {
      log.error(`Cannot get the cluster lock of leader ${leader}: ${answer.error}`);
      return later(failure(answer.error));
    }
    const { data } = answer.value;
    const theirs = data.length === 0 ? undefined : textUpToNul(data);
    if (theirs === parts.clusterLock) return same();
    const reason =
      `Recovery lock configuration inconsistent: recmaster has ${theirs ?? "NULL"}, ` +
      `this node has ${parts.clusterLock ?? "NULL"}, shutting down ` +
      `(leader ${leader}: ${lockText(theirs)}; node ${nodes.ownPnn}: ${lockText(parts.clusterLock)})`;
    log.error(reason);
    later(failure(reason));
    parts.shutdown(1, reason);
  });
}

function lockText(lock: string | undefined): string {
  return lock === undefined ? "no cluster lock" : `cluster lock "${lock}"`;
}

function endRecovery(
  parts: RecoveryControlParts,
  owed: OwedComparison,
  from: number,
  later: ReplyLater,
): void {
  const { leader } = owed;
  if (leader === from && parts.nodes.connected(leader)) {
    owed.leader = undefined;
    compareLocks(parts, leader, later, () => recoveryEnded(parts, later));
  } else {
    recoveryEnded(parts, later);
  }
}

function recoveryEnded(parts: RecoveryControlParts, later: ReplyLater): void {
  const { state, database, events, log, statistics } = parts;
  log.error("Recovery has finished");
  database.recoveryEnded();
  events.run("recovered", [], (status) => {
    statistics.current.num_recoveries += 1;
    if (status !== 0) log.error(`recovered event script failed (status ${status})`);
    later({ status: 0 - status, data: EMPTY });
    state.recoveryFinished();
    if (state.runstate === "FIRST_RECOVERY") state.becomeRunstate("STARTUP");
  });
}
