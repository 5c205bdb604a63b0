/** The daemon as the part that owns the records sees it. */

import type { Journal } from "../base/journal_event.ts";
import type { DatabaseHost, MutableStatistics } from "../database/host.ts";
import { SliceTurns } from "../database/slice_turns.ts";
import type { NodeTable } from "../membership/node_table.ts";
import type { VnnMap } from "../membership/vnn_map.ts";
import type { LockWaiter } from "../tdb/types.ts";
import type { Turns } from "../transport/turns.ts";
import type { DaemonDependencies } from "./dependencies.ts";
import { DatabaseWarnings } from "./journal/database_warnings.ts";
import type { NodeState } from "./lifecycle/node_state.ts";
import type { ClientTable } from "./routing/client_table.ts";
import type { MessageRouter } from "./routing/message_router.ts";
import type { NodeOutput } from "./routing/node_output.ts";

export interface DatabaseHostParts {
  readonly dependencies: DaemonDependencies;
  readonly turns: Turns;
  readonly nodes: NodeTable;
  readonly vnnMap: VnnMap;
  readonly state: NodeState;
  readonly statistics: MutableStatistics;
  readonly clients: ClientTable;
  readonly output: NodeOutput;
  readonly messages: MessageRouter;
  newReqid(): number;
  sendNoReply(destination: number, opcode: number, srvidLow: number, data: Uint8Array): void;
  readonly requestControl: DatabaseHost["requestControl"];
  readonly journal: Journal;
  forceRecovery(reason: string): void;
}

export function createDatabaseHost(parts: DatabaseHostParts): DatabaseHost {
  const { dependencies: d, turns, nodes, vnnMap, state, clients, output, messages } = parts;
  const { database } = d.config;
  const timers = turns.timers("database");
  const warnings = new DatabaseWarnings(d.clock, d.log, parts.journal);
  return {
    pnn: nodes.ownPnn,
    directories: {
      volatile: database.volatileDirectory,
      persistent: database.persistentDirectory,
      state: database.stateDirectory,
    },
    tdbMutexes: database.tdbMutexes,
    tdbs: d.tdbs,
    lockWaiter: waiterInTurns(d.lockWaiter, turns),
    clock: d.clock,
    timers,
    random: d.random,
    files: d.files,
    log: d.log,
    journal: parts.journal,
    databaseWarning: (name, problem, text) => warnings.warn(name, problem, text),
    trace: turns.trace,
    slices: new SliceTurns(timers, turns.trace),
    statistics: parts.statistics,
    crashPoints: d.crashPoints,
    tunable: (name) => d.tunables.get(name) ?? 0,

    generation: () => vnnMap.generation,
    recoveryCommitted: () => vnnMap.recordsCount(),
    countedWithAll: (generation) => vnnMap.countedWithAll(generation),
    vnnMap: () => vnnMap.map,
    recovering: () => state.recovering,
    nodeFlags: (pnn) => nodes.flags(pnn),
    nodeConnected: (pnn) => nodes.connected(pnn),
    activeNodes: () => nodes.active(),
    nodes: () => nodes.configured(),
    runstateBefore: (runstate) => state.runstateBefore(runstate),
    forceRecovery: (reason) => parts.forceRecovery(reason),

    sendToNode: (pnn, packet) => output.send(pnn, packet),
    sendToClient: (clientId, packet) => clients.get(clientId)?.deliver(packet),
    broadcastControl: (destination, opcode, srvidLow, data) =>
      parts.sendNoReply(destination, opcode, srvidLow, data),
    requestControl: (pnn, name, data, timeoutMs, finished, more) =>
      parts.requestControl(pnn, name, data, timeoutMs, finished, more),
    queuedBytes: (pnn, srvid) => messages.queuedBytes(pnn, srvid),
    sendMessage: (destination, srvid, data) => messages.send(destination, srvid, data),
    afterMessages: (action) => output.afterLooped(action),
    onMessage: (srvid, handler, backlogBytes) => messages.listen(srvid, handler, backlogBytes),
    newReqid: () => parts.newReqid(),
    processName: (pid) => d.processName(pid),
  };
}

/** What a granted lock starts is a turn like any other. */
function waiterInTurns(waiter: LockWaiter, turns: Turns): LockWaiter {
  return {
    waitChain: (tdb, chain, granted) =>
      waiter.waitChain(tdb, chain, (outcome) => turns.run("lock-granted", () => granted(outcome))),
    waitAll: (tdb, granted) =>
      waiter.waitAll(tdb, (outcome) => turns.run("lock-granted", () => granted(outcome))),
  };
}
