/** Documents of commands about one node. */
import * as v from "valibot";
import { LOG_LEVELS, type LogLevel } from "../../base/log.ts";
import { RUNSTATES } from "../../wire/constants.ts";
import { count, integer, pnn, seconds, time, u32, u64 } from "./facts.ts";

export const pnnFacts = v.strictObject({ pnn });

export const uptimeFacts = v.strictObject({
  node: pnn,
  current_time: time,
  start_time: time,
  /** Of the last recovery or failover; null: there was none. */
  last_recovery_start_time: v.nullable(time),
  last_recovery_end_time: v.nullable(time),
  /** null: there was none, or it has not ended. */
  last_recovery_seconds: v.nullable(seconds),
});

export const pingFacts = v.strictObject({ node: pnn, response_seconds: seconds, clients: count });

export const runstateFacts = v.strictObject({
  node: pnn,
  runstate: v.picklist(RUNSTATES),
  /** Is it one of those that were named? null: none was. */
  expected: v.nullable(v.boolean()),
});

export const getpidFacts = v.strictObject({ node: pnn, pid: u32 });

export const processExistsFacts = v.strictObject({
  node: pnn,
  pid: integer,
  /** null: any process, whatever it listens to. */
  srvid: v.nullable(u64),
  exists: v.boolean(),
});

export const getcapabilitiesFacts = v.strictObject({
  node: pnn,
  leader: v.boolean(),
  lmaster: v.boolean(),
});

export const getdebugFacts = v.strictObject({
  node: pnn,
  /** null: a number that has no name. */
  level: v.nullable(v.picklist(Object.keys(LOG_LEVELS) as LogLevel[])),
  level_raw: integer,
});

export const memoryFacts = v.strictObject({ node: pnn, report: v.string() });

export const checktcpportFacts = v.strictObject({
  port: u32,
  free: v.boolean(),
  /** Of binding to it; null: it could be bound to. */
  errno: v.nullable(integer),
});

/** With --all: every node of the cluster. */
export const variableEverywhereFacts = v.strictObject({
  name: v.string(),
  /** null: the node is not connected, or has not answered. */
  nodes: v.array(v.strictObject({ node: pnn, value: v.nullable(u32) })),
});
export const variableFacts = v.union([
  v.strictObject({ node: pnn, name: v.string(), value: u32 }),
  variableEverywhereFacts,
]);

const variables = v.record(v.string(), u32);
/** With --all, as above. */
export const variablesEverywhereFacts = v.strictObject({
  /** Variables of which nodes have different values. */
  differing: v.array(v.string()),
  nodes: v.array(v.strictObject({ node: pnn, variables: v.nullable(variables) })),
});
export const variablesFacts = v.union([
  v.strictObject({ node: pnn, variables }),
  variablesEverywhereFacts,
]);

export const reloadFacts = v.strictObject({
  node: pnn,
  /** Changes that the running daemon has taken, as sentences: which option, what it was and is. */
  changed: v.array(v.string()),
  /** Changes that only a start takes. */
  needs_restart: v.array(v.string()),
});
