/**
 * The options of ctdb.conf as one table: section, name, what a value must look like, default.
 * The loader, the dump and docs/operations.md follow from it. Values are valibot schemas from the text
 * of the file to the value; whether a named file exists is checked apart (`check`).
 */
import * as v from "valibot";
import { parseWhole } from "../base/c_number.ts";
import { type LogLevel, parseLogLevel } from "../base/log.ts";
import { EXPECTED_LOCATION, parseLogLocation } from "../base/log_format.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";
import type { CtdbPaths } from "./types.ts";

export interface OptionContext {
  readonly files: FileSystem;
  readonly paths: CtdbPaths;
}

export interface ConfigOption<T> {
  readonly section: string;
  readonly name: string;
  readonly schema: v.GenericSchema<string, T>;
  readonly defaultValue: (paths: CtdbPaths) => T;
  /** What is wrong with a well-formed value on this machine. */
  readonly check?: (value: T, context: OptionContext) => string | undefined;
  /** Still accepted; the warning says what to use. */
  readonly deprecated?: string;
}

// --- values ------------------------------------------------------------------------------------

const text = v.pipe(v.string(), v.nonEmpty("expected a value"));
/** A string option that may be left out. */
const optionalText: v.GenericSchema<string, string | undefined> = text;

const TRUTH = new Map([
  ["true", true],
  ["yes", true],
  ["false", false],
  ["no", false],
]);
const truth = v.pipe(
  text,
  v.check((value) => TRUTH.has(value.toLowerCase()), "expected true or false"),
  v.transform((value) => TRUTH.get(value.toLowerCase()) === true),
);

const INTEGER_MAX = 0x7fffffff;

function integer(min: number) {
  return v.pipe(
    text,
    v.transform((value) => parseWhole(value, INTEGER_MAX) ?? Number.NaN),
    v.number(`expected a whole number of seconds from ${min} to ${INTEGER_MAX}`),
    v.minValue(min, `expected a whole number of seconds, at least ${min}`),
  );
}

const logLevel: v.GenericSchema<string, LogLevel> = v.pipe(
  text,
  v.check(
    (value) => parseLogLevel(value) !== undefined,
    "expected ERROR, WARNING, NOTICE, INFO, DEBUG or a number from 0 to 10",
  ),
  v.transform((value) => parseLogLevel(value) ?? "NOTICE"),
);

const logLocation = v.pipe(
  text,
  v.check((value) => parseLogLocation(value).ok, `expected ${EXPECTED_LOCATION}`),
);

const address: v.GenericSchema<string, string | undefined> = v.pipe(
  text,
  v.check((value) => parseAddress(value).ok, "expected an IP address"),
  v.transform((value) => {
    const parsed = parseAddress(value);
    return parsed.ok ? parsed.value.address : value;
  }),
);

const transport: v.GenericSchema<string, "tcp"> = v.picklist(["tcp"], `expected "tcp"`);

// --- checks against this machine ---------------------------------------------------------------

function directoryExists(path: string, { files }: OptionContext): string | undefined {
  return files.exists(path) ? undefined : "expected a directory that exists";
}

/** Scripts are looked for in the configuration directory, whatever directory the value names. */
function scriptExists(script: string | undefined, { files, paths }: OptionContext) {
  if (script === undefined) return undefined;
  const path = `${paths.etcDirectory}/${script.slice(script.lastIndexOf("/") + 1)}`;
  return files.exists(path) ? undefined : `expected an executable script "${path}"`;
}

function logDirectoryExists(location: string, { files }: OptionContext): string | undefined {
  const parsed = parseLogLocation(location);
  const path = parsed.ok && parsed.value.kind === "file" ? parsed.value.path : "";
  if (!path.includes("/")) return undefined;
  const directory = path.slice(0, path.lastIndexOf("/")) || "/";
  return files.exists(directory) ? undefined : `expected the directory "${directory}" to exist`;
}

// --- the table ---------------------------------------------------------------------------------

const unset = () => undefined;
const yes = () => true;
const no = () => false;

function define<T>(option: ConfigOption<T>): ConfigOption<T> {
  return option;
}

export const OPTIONS = {
  location: define({
    section: "logging",
    name: "location",
    schema: logLocation,
    defaultValue: (paths) => `file:${paths.logDirectory}/log.ctdb`,
    check: logDirectoryExists,
  }),
  logLevel: define<LogLevel>({
    section: "logging",
    name: "log level",
    schema: logLevel,
    defaultValue: () => "NOTICE",
  }),
  transport: define<"tcp">({
    section: "cluster",
    name: "transport",
    schema: transport,
    defaultValue: () => "tcp",
  }),
  nodeAddress: define<string | undefined>({
    section: "cluster",
    name: "node address",
    schema: address,
    defaultValue: unset,
  }),
  clusterLock: define<string | undefined>({
    section: "cluster",
    name: "cluster lock",
    schema: optionalText,
    defaultValue: unset,
  }),
  recoveryLock: define<string | undefined>({
    section: "cluster",
    name: "recovery lock",
    schema: optionalText,
    defaultValue: unset,
    deprecated: 'use "cluster lock"',
  }),
  nodesList: define<string | undefined>({
    section: "cluster",
    name: "nodes list",
    schema: optionalText,
    defaultValue: unset,
  }),
  leaderTimeoutSec: define({
    section: "cluster",
    name: "leader timeout",
    schema: integer(1),
    defaultValue: () => 5,
  }),
  leaderCapability: define({
    section: "cluster",
    name: "leader capability",
    schema: truth,
    defaultValue: yes,
  }),
  volatileDirectory: define({
    section: "database",
    name: "volatile database directory",
    schema: text,
    defaultValue: (paths) => `${paths.variableDirectory}/volatile`,
    check: directoryExists,
  }),
  persistentDirectory: define({
    section: "database",
    name: "persistent database directory",
    schema: text,
    defaultValue: (paths) => `${paths.variableDirectory}/persistent`,
    check: directoryExists,
  }),
  stateDirectory: define({
    section: "database",
    name: "state database directory",
    schema: text,
    defaultValue: (paths) => `${paths.variableDirectory}/state`,
    check: directoryExists,
  }),
  lockDebugScript: define<string | undefined>({
    section: "database",
    name: "lock debug script",
    schema: optionalText,
    defaultValue: unset,
    check: scriptExists,
  }),
  tdbMutexes: define({
    section: "database",
    name: "tdb mutexes",
    schema: truth,
    defaultValue: yes,
  }),
  eventDebugScript: define<string | undefined>({
    section: "event",
    name: "debug script",
    schema: optionalText,
    defaultValue: unset,
    check: scriptExists,
  }),
  failoverDisabled: define({
    section: "failover",
    name: "disabled",
    schema: truth,
    defaultValue: no,
  }),
  shutdownExtraTimeoutSec: define({
    section: "failover",
    name: "shutdown extra timeout",
    schema: integer(0),
    defaultValue: () => 0,
  }),
  shutdownFailoverTimeoutSec: define({
    section: "failover",
    name: "shutdown failover timeout",
    schema: integer(0),
    defaultValue: () => 10,
  }),
  realtimeScheduling: define({
    section: "legacy",
    name: "realtime scheduling",
    schema: truth,
    defaultValue: yes,
  }),
  lmasterCapability: define({
    section: "legacy",
    name: "lmaster capability",
    schema: truth,
    defaultValue: yes,
  }),
  startAsStopped: define({
    section: "legacy",
    name: "start as stopped",
    schema: truth,
    defaultValue: no,
  }),
  startAsDisabled: define({
    section: "legacy",
    name: "start as disabled",
    schema: truth,
    defaultValue: no,
  }),
  scriptLogLevel: define<LogLevel>({
    section: "legacy",
    name: "script log level",
    schema: logLevel,
    defaultValue: () => "ERROR",
  }),
} as const;
