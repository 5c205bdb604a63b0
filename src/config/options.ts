/**
 * The options of ctdb.conf as one table. The loader, the dump, `ctdb reload` and docs/operations.md follow from it.
 * Nothing of ours is in it: the original refuses to start on some of what it does not know.
 */
import type { LogLevel } from "../base/log.ts";
import { directoryExists, logDirectoryExists, scriptExists } from "./option_checks.ts";
import { define, OptionTable } from "./option_table.ts";
import {
  address,
  integer,
  logLevel,
  logLocation,
  optionalText,
  text,
  transport,
  truth,
} from "./option_values.ts";

const unset = () => undefined;
const yes = () => true;
const no = () => false;

export const OPTIONS = {
  location: define({
    section: "logging",
    name: "location",
    schema: logLocation,
    defaultValue: (paths) => `file:${paths.logDirectory}/log.ctdb`,
    reload: "restart",
    perNode: true,
    check: logDirectoryExists,
  }),
  logLevel: define<LogLevel>({
    section: "logging",
    name: "log level",
    schema: logLevel,
    defaultValue: () => "NOTICE",
    reload: "now",
    perNode: true,
  }),
  transport: define<"tcp">({
    section: "cluster",
    name: "transport",
    schema: transport,
    defaultValue: () => "tcp",
    reload: "restart",
  }),
  nodeAddress: define<string | undefined>({
    section: "cluster",
    name: "node address",
    schema: address,
    defaultValue: unset,
    reload: "restart",
    perNode: true,
  }),
  clusterLock: define<string | undefined>({
    section: "cluster",
    name: "cluster lock",
    schema: optionalText,
    defaultValue: unset,
    reload: "restart",
  }),
  recoveryLock: define<string | undefined>({
    section: "cluster",
    name: "recovery lock",
    schema: optionalText,
    defaultValue: unset,
    reload: "restart",
    deprecated: 'use "cluster lock"',
  }),
  nodesList: define<string | undefined>({
    section: "cluster",
    name: "nodes list",
    schema: optionalText,
    defaultValue: unset,
    reload: "now",
  }),
  leaderTimeoutSec: define({
    section: "cluster",
    name: "leader timeout",
    schema: integer(1),
    defaultValue: () => 5,
    reload: "restart",
  }),
  leaderCapability: define({
    section: "cluster",
    name: "leader capability",
    schema: truth,
    defaultValue: yes,
    reload: "now",
    perNode: true,
  }),
  volatileDirectory: define({
    section: "database",
    name: "volatile database directory",
    schema: text,
    defaultValue: (paths) => `${paths.variableDirectory}/volatile`,
    reload: "restart",
    perNode: true,
    check: directoryExists,
  }),
  persistentDirectory: define({
    section: "database",
    name: "persistent database directory",
    schema: text,
    defaultValue: (paths) => `${paths.variableDirectory}/persistent`,
    reload: "restart",
    perNode: true,
    check: directoryExists,
  }),
  stateDirectory: define({
    section: "database",
    name: "state database directory",
    schema: text,
    defaultValue: (paths) => `${paths.variableDirectory}/state`,
    reload: "restart",
    perNode: true,
    check: directoryExists,
  }),
  lockDebugScript: define<string | undefined>({
    section: "database",
    name: "lock debug script",
    schema: optionalText,
    defaultValue: unset,
    reload: "restart",
    perNode: true,
    check: scriptExists,
  }),
  tdbMutexes: define({
    section: "database",
    name: "tdb mutexes",
    schema: truth,
    defaultValue: yes,
    reload: "restart",
  }),
  eventDebugScript: define<string | undefined>({
    section: "event",
    name: "debug script",
    schema: optionalText,
    defaultValue: unset,
    reload: "now",
    perNode: true,
    check: scriptExists,
  }),
  failoverDisabled: define({
    section: "failover",
    name: "disabled",
    schema: truth,
    defaultValue: no,
    reload: "restart",
  }),
  shutdownExtraTimeoutSec: define({
    section: "failover",
    name: "shutdown extra timeout",
    schema: integer(0),
    defaultValue: () => 0,
    reload: "now",
  }),
  shutdownFailoverTimeoutSec: define({
    section: "failover",
    name: "shutdown failover timeout",
    schema: integer(0),
    defaultValue: () => 10,
    reload: "now",
  }),
  realtimeScheduling: define({
    section: "legacy",
    name: "realtime scheduling",
    schema: truth,
    defaultValue: yes,
    reload: "restart",
  }),
  lmasterCapability: define({
    section: "legacy",
    name: "lmaster capability",
    schema: truth,
    defaultValue: yes,
    reload: "now",
    perNode: true,
  }),
  startAsStopped: define({
    section: "legacy",
    name: "start as stopped",
    schema: truth,
    defaultValue: no,
    reload: "restart",
    perNode: true,
  }),
  startAsDisabled: define({
    section: "legacy",
    name: "start as disabled",
    schema: truth,
    defaultValue: no,
    reload: "restart",
    perNode: true,
  }),
  scriptLogLevel: define<LogLevel>({
    section: "legacy",
    name: "script log level",
    schema: logLevel,
    defaultValue: () => "ERROR",
    reload: "now",
    perNode: true,
  }),
} as const;

export const CTDB_CONF = new OptionTable(OPTIONS);
