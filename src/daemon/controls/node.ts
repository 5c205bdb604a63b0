/** Controls about the daemon itself: who and how it is, its tunables, counters and log level. */
import { EINVAL } from "../../base/errno.ts";
import type { Journal, JournalActor } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { U64 } from "../../base/u64.ts";
import type { GivenOption } from "../../config/live_config.ts";
import { listedTunablesText, type TunableSet } from "../../config/tunables.ts";
import { type ControlHandlers, failure, SUCCESS } from "../../control/control_request.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import type { Clock, Timers } from "../../platform/types/time.ts";
import { countedString, encode, i32Codec, stringZ, textBytes, u32Codec } from "../../wire/codec.ts";
import {
  PING_BACKLOG,
  PING_GENERATION,
  PING_HEALTH,
  PING_KNOWLEDGE,
  PING_LISTENERS,
  PING_OPTIONS,
  PING_RELOAD,
  PING_STANDING,
  PING_TURNS,
} from "../../wire/controls.ts";
import { echoData } from "../../wire/structs/clients.ts";
import {
  type NodeHealth,
  type NodeKnowledge,
  type NodeStanding,
  type NodeTurns,
  nodeHealth,
  nodeKnowledge,
  nodeStanding,
  nodeTurns,
  OPTIONS_MAGIC,
  runningOptions,
  uptime,
} from "../../wire/structs/cluster.ts";
import { type ReloadReport, reloadReport } from "../../wire/structs/reload.ts";
import { statisticsHistory } from "../../wire/structs/statistics.ts";
import { tunableList } from "../../wire/structs/tunables.ts";
import type { Actors } from "../journal/actors.ts";
import type { NodeState } from "../lifecycle/node_state.ts";
import { encodeStatistics, type NodeStatistics } from "../report/node_statistics.ts";

/** The level of our log, by CTDB's numbers. */
export interface LogLevelSetting {
  get(): number;
  set(level: number): void;
}

export interface NodeControlParts {
  readonly ownPnn: number;
  readonly ownPid: number;
  readonly state: NodeState;
  readonly statistics: NodeStatistics;
  readonly tunables: TunableSet;
  readonly logLevel: LogLevelSetting;
  readonly clusterLock: string | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly journal: Journal;
  readonly actors: Actors;
  clientCount(): number;
  /** Bytes that wait for the listener of a srvid that is most behind. */
  backlogBytes(srvid: U64): number;
  readonly vnnMap: Pick<VnnMap, "countedGeneration">;
  /** How many listen to a srvid on this node. */
  listeners(srvid: U64): number;
  knowledge(): NodeKnowledge;
  health(): NodeHealth;
  /** Why nodes have the flags that they have. */
  standingReasons(): NodeStanding;
  /** Undefined of a node without configuration files. */
  readonly options?: (() => readonly GivenOption[]) | undefined;
  /** Reads the configuration again; undefined where there is none. */
  readonly reload: ((by: JournalActor) => ReloadReport) | undefined;
  turns(): NodeTurns;
  allFrozen(): boolean;
  memoryUsed(): number;
  memoryReport(): string;
  resetDatabaseStatistics(): void;
  tunableChanged(name: string): void;
  recoverdPinged(): void;
  shutdown(by: JournalActor): void;
}

const U32_MAX = 0xffffffff;

export function nodeControls(parts: NodeControlParts): ControlHandlers {
  const { state, statistics, actors } = parts;
  return {
    PING: (_nothing, from) => {
      const { flags, srvid } = from;
      const status = parts.clientCount();
      if ((flags & PING_KNOWLEDGE) !== 0) {
        return { status, data: encode(nodeKnowledge, parts.knowledge()) };
      }
      if ((flags & PING_RELOAD) !== 0) {
        const report = parts.reload?.(parts.actors.of(from));
        return report === undefined ? { status } : { status, data: encode(reloadReport, report) };
      }
      if ((flags & PING_HEALTH) !== 0) {
        return { status, data: encode(nodeHealth, parts.health()) };
      }
      if ((flags & PING_TURNS) !== 0) {
        return { status, data: encode(nodeTurns, parts.turns()) };
      }
      if ((flags & PING_STANDING) !== 0) {
        return { status, data: encode(nodeStanding, parts.standingReasons()) };
      }
      if ((flags & PING_GENERATION) !== 0) {
        return { status, data: encode(u32Codec, parts.vnnMap.countedGeneration) };
      }
      if ((flags & PING_OPTIONS) !== 0) {
        const options = parts.options?.();
        if (options === undefined) return { status };
        return { status, data: encode(runningOptions, { magic: OPTIONS_MAGIC, options }) };
      }
      if ((flags & PING_LISTENERS) !== 0) {
        return { status, data: encode(u32Codec, parts.listeners(srvid)) };
      }
      if ((flags & PING_BACKLOG) === 0) return { status };
      return { status, data: encode(u32Codec, Math.min(parts.backlogBytes(srvid), U32_MAX)) };
    },
    GET_PNN: () => ({ status: parts.ownPnn }),
    GET_PID: () => ({ status: parts.ownPid }),
    GET_RUNSTATE: () => ({ status: 0, data: encode(u32Codec, state.runstateNumber) }),
    UPTIME: () => ({
      status: 0,
      data: encode(uptime, {
        current_time: parts.clock.wallTime(),
        ctdbd_start_time: state.startTime,
        last_recovery_started: state.lastRecoveryStarted,
        last_recovery_finished: state.lastRecoveryFinished,
      }),
    }),
    GET_CAPABILITIES: () => ({ status: 0, data: encode(u32Codec, state.capabilities >>> 0) }),
    SET_LMASTERROLE: (on) => {
      state.setCapability("LMASTER", on !== 0);
      return SUCCESS;
    },
    SET_RECMASTERROLE: (on) => {
      state.setCapability("RECMASTER", on !== 0);
      return SUCCESS;
    },
    GET_DEBUG: () => ({ status: 0, data: encode(i32Codec, parts.logLevel.get()) }),
    SET_DEBUG: (level) => {
      parts.logLevel.set(level);
      return SUCCESS;
    },
    GET_RECLOCK_FILE: () => {
      const lock = parts.clusterLock;
      return lock === undefined ? SUCCESS : { status: 0, data: encode(stringZ, lock) };
    },
    RECD_PING: () => {
      parts.recoverdPinged();
      return SUCCESS;
    },
    RECD_RECLOCK_LATENCY: (seconds) => {
      statistics.addClusterLockLatency("recd", seconds);
      return SUCCESS;
    },
    SHUTDOWN: (_request, from) => {
      parts.log.notice("Received SHUTDOWN command.");
      parts.shutdown(actors.of(from));
      return SUCCESS;
    },
    // The requested delay is not kept, as in the original; the answer still comes in a later turn.
    ECHO_DATA: (request, _from, later) => {
      parts.timers.soon(() => later({ status: 0, data: encode(echoData, request) }));
      return "later";
    },
    DUMP_MEMORY: () => ({ status: 0, data: textBytes(parts.memoryReport()) }),
    ...statisticsControls(parts),
    ...tunableControls(parts),
  };
}

function statisticsControls(parts: NodeControlParts): ControlHandlers {
  const { state, statistics } = parts;
  return {
    STATISTICS: () => ({
      status: 0,
      data: encodeStatistics(statistics.current, {
        num_clients: parts.clientCount(),
        frozen: parts.allFrozen(),
        recovering: state.recovering,
        memory_used: parts.memoryUsed(),
        now: parts.clock.wallTime(),
      }),
    }),
    STATISTICS_RESET: () => {
      statistics.reset();
      parts.resetDatabaseStatistics();
      return SUCCESS;
    },
    GET_STAT_HISTORY: () => {
      const entries = statistics.history();
      return { status: 0, data: encode(statisticsHistory, { num: entries.length, entries }) };
    },
  };
}

function tunableControls(parts: NodeControlParts): ControlHandlers {
  const { tunables, journal, actors } = parts;
  return {
    GET_TUNABLE: ({ name }) => {
      const value = tunables.get(name);
      if (value === undefined) return failure(`there is no tunable "${name}"`, -EINVAL);
      return { status: 0, data: encode(u32Codec, value) };
    },
    SET_TUNABLE: ({ name, value }, from) => {
      const before = tunables.get(name);
      const outcome = tunables.set(name, value);
      if (outcome === "unknown") return failure(`there is no tunable "${name}"`);
      if (before !== undefined && before !== value) {
        const by = actors.of(from);
        journal.record({ kind: "tunable", name, before, after: value, by });
      }
      parts.tunableChanged(name);
      if (outcome === "set") return SUCCESS;
      parts.log.warning(`Setting obsolete tunable "${name}"`);
      return { status: 1 };
    },
    LIST_TUNABLES: () => ({ status: 0, data: encode(countedString, listedTunablesText()) }),
    GET_ALL_TUNABLES: () => ({ status: 0, data: encode(tunableList, tunables.inWireOrder()) }),
  };
}
