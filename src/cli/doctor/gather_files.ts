/** The facts of files and settings. */
import { parseLogLocation } from "../../base/log_format.ts";
import { readApplianceConfig } from "../../config/appliance_conf.ts";
import { readCtdbConfig } from "../../config/ctdb_conf.ts";
import { loadNodesFile, type NodesOutcome, nodesSource, parseNodes } from "../../config/nodes.ts";
import { OPTIONS } from "../../config/options.ts";
import { resolvePaths } from "../../config/paths.ts";
import { loadPublicAddresses, PUBLIC_ADDRESSES_FILE } from "../../config/public_addresses.ts";
import { checkScriptOptions } from "../../config/script_options.ts";
import { missingInterfaces } from "../../config/this_machine.ts";
import { TunableSet } from "../../config/tunables.ts";
import { loadTunables } from "../../config/tunables_file.ts";
import type { CtdbConfig, CtdbPaths } from "../../config/types.ts";
import { PENDING_SUFFIX } from "../../platform/types/pending_file.ts";
import { CommandFailure } from "../failure.ts";
import type { ToolHost } from "../host.ts";
import type { DatabaseFile, DirectoryFacts, LocalFacts, LockFacts, ScriptFacts } from "./facts.ts";
import { tlsFiles } from "./gather_certificates.ts";
import { COMMAND_MS_MAX, DATABASE_FILES_MAX } from "./limits.ts";
import { logFacts } from "./log_lines.ts";
import type { Machine } from "./machine.ts";
import { withinMs } from "./within.ts";

const MUTEX_HELPER = "ctdb_mutex_fcntl_helper";
const TDB_MAGIC = "TDB file\n";
const DATABASE_NAME = /\.tdb\.\d+$/;
const SET_ASIDE_NAME = /\.tdb\.\d+\.corrupted\./;

export async function gatherFiles(host: ToolHost, machine: Machine): Promise<LocalFacts> {
  const resolved = resolvePaths(host.environment, host.executableDirectory);
  if (!resolved.ok) throw new CommandFailure(2, resolved.error);
  const paths = resolved.value;
  const { files } = machine;
  const { config, reader, problems } = readCtdbConfig(files, paths);
  const appliance = readApplianceConfig(files, paths);
  const publicAddresses = loadPublicAddresses(
    files,
    `${paths.etcDirectory}/${PUBLIC_ADDRESSES_FILE}`,
  );
  const wanted = publicAddresses.ok ? publicAddresses.value : [];
  return {
    uid: machine.uid,
    paths,
    problems: [...problems, ...appliance.problems],
    scriptProblems: checkScriptOptions(files, paths),
    config,
    realtimeIsWanted:
      reader.texts().some(({ name, given }) => given && name === OPTIONS.realtimeScheduling.name) &&
      config.legacy.realtimeScheduling,
    tunableProblems: loadTunables(files, paths, new TunableSet()),
    nodesSource: nodesSource(config, paths),
    nodesChangeLeft: nodesChangeLeft(machine, config, paths),
    nodes: await nodesOf(host, machine, config, paths),
    publicAddresses,
    missingInterfaces: missingInterfaces(wanted, machine),
    interfaces: machine.interfaces(),
    directories: directoriesOf(machine, config, paths),
    databases: databasesOf(machine, config),
    lock: lockOf(machine, config, paths),
    scripts: scriptsIn(machine, `${paths.etcDirectory}/events/legacy`, /^[0-9][0-9]\..*\.script$/),
    notifications: [
      ...scriptsIn(machine, paths.etcDirectory, /^notify\.sh$/),
      ...scriptsIn(machine, `${paths.etcDirectory}/events/notification`, /\.script$/),
    ],
    log: logFacts(machine, logPath(config), host.clock.wallTime().sec),
    sambaIsClustered: paths.testMode ? undefined : await sambaIsClustered(host),
    sambaVersion: paths.testMode ? undefined : await sambaVersion(host),
    announcedVersion: appliance.config.announcedSambaVersion,
    tlsFiles: tlsFiles(machine, appliance.config, host.clock.wallTime().sec * 1000),
  };
}

async function nodesOf(
  host: ToolHost,
  machine: Machine,
  config: CtdbConfig,
  paths: CtdbPaths,
): Promise<NodesOutcome | string> {
  const source = nodesSource(config, paths);
  if (source.kind === "file") {
    if (!machine.files.exists(source.path)) return `there is no file "${source.path}"`;
    return loadNodesFile(machine.files, source.path);
  }
  const command = source.argv.join(" ");
  const said = await withinMs(host.timers, COMMAND_MS_MAX, host.run(source.argv));
  if (said === undefined)
    return `the command "${command}" has not ended in ${COMMAND_MS_MAX / 1000} s`;
  if (!said.ok) return `the command "${command}" cannot be run: ${said.error}`;
  return said.value === ""
    ? `the command "${command}" lists none`
    : parseNodes(said.value, `!${command}`);
}

function nodesChangeLeft(
  machine: Machine,
  config: CtdbConfig,
  paths: CtdbPaths,
): string | undefined {
  const source = nodesSource(config, paths);
  const path = source.kind === "file" ? `${source.path}${PENDING_SUFFIX}` : undefined;
  return path !== undefined && machine.stat(path) !== undefined ? path : undefined;
}

function logPath(config: CtdbConfig): string | undefined {
  const location = parseLogLocation(config.logging.location);
  return location.ok && location.value.kind === "file" ? location.value.path : undefined;
}

function directoriesOf(
  machine: Machine,
  config: CtdbConfig,
  paths: CtdbPaths,
): readonly DirectoryFacts[] {
  const { volatileDirectory, persistentDirectory, stateDirectory } = config.database;
  const log = logPath(config);
  const wanted: (readonly [DirectoryFacts["purpose"], string])[] = [
    ["volatile databases", volatileDirectory],
    ["persistent databases", persistentDirectory],
    ["state databases", stateDirectory],
    ["sockets", paths.runDirectory],
  ];
  if (log !== undefined) wanted.push(["logs", parentOf(log)]);
  return wanted.map(([purpose, path]) => ({
    purpose,
    path,
    found: machine.stat(path),
    writable: machine.files.isWritableDirectory(path),
    fileSystem: machine.fileSystem(path),
  }));
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}

function databasesOf(machine: Machine, config: CtdbConfig): readonly DatabaseFile[] {
  const { volatileDirectory, persistentDirectory, stateDirectory } = config.database;
  const directories = [...new Set([persistentDirectory, stateDirectory, volatileDirectory])];
  const paths = directories.flatMap((directory) => {
    const names = machine.files.list(directory);
    return names.ok ? names.value.map((name) => `${directory}/${name}`) : [];
  });
  return paths
    .filter((path) => DATABASE_NAME.test(path) || SET_ASIDE_NAME.test(path))
    .slice(0, DATABASE_FILES_MAX)
    .map((path) => ({
      path,
      found: machine.stat(path),
      // A database that is being made is empty for a moment.
      isTdb: ["", TDB_MAGIC].includes(machine.head(path, TDB_MAGIC.length) ?? ""),
      setAside: SET_ASIDE_NAME.test(path),
    }));
}

function lockOf(machine: Machine, config: CtdbConfig, paths: CtdbPaths): LockFacts | undefined {
  const setting = config.cluster.clusterLock;
  if (setting === undefined) return undefined;
  const command = setting.startsWith("!") ? setting.slice(1).trim().split(/\s+/) : undefined;
  const helper =
    command === undefined ? `${paths.helperDirectory}/${MUTEX_HELPER}` : (command[0] ?? "");
  const path = command === undefined ? setting : pathOfHelper(command);
  const directory = path === undefined ? undefined : parentOf(path);
  return {
    setting,
    path,
    directory: directory === undefined ? undefined : machine.stat(directory),
    writable: directory !== undefined && machine.files.isWritableDirectory(directory),
    fileSystem: directory === undefined ? undefined : machine.fileSystem(directory),
    helper,
    helperFound: machine.stat(helper),
  };
}

/** The lock file of a command that is the usual helper; nothing is known of others. */
function pathOfHelper([program = "", file]: readonly string[]): string | undefined {
  return program.endsWith(`/${MUTEX_HELPER}`) ? file : undefined;
}

function scriptsIn(machine: Machine, directory: string, name: RegExp): readonly ScriptFacts[] {
  const names = machine.files.list(directory);
  return (names.ok ? names.value : [])
    .filter((each) => name.test(each))
    .map((each) => {
      const path = `${directory}/${each}`;
      return { path, isLink: machine.isLink(path), found: machine.stat(path) };
    });
}

/** testparm shows what smb.conf says, includes followed; without it nothing is known. It greets on standard error. */
async function sambaIsClustered(host: ToolHost): Promise<boolean | undefined> {
  const argv = ["testparm", "--suppress-prompt", "--parameter-name=clustering"];
  const said = await withinMs(host.timers, COMMAND_MS_MAX, host.run(argv, "dropped"));
  const word = said?.ok === true ? said.value.trim().toLowerCase() : "";
  return word === "" ? undefined : word === "yes";
}

/** It prints "Version 4.17.12-Debian". */
async function sambaVersion(host: ToolHost): Promise<number | undefined> {
  const said = await withinMs(
    host.timers,
    COMMAND_MS_MAX,
    host.run(["smbd", "--version"], "dropped"),
  );
  const [, major, minor] =
    said?.ok === true ? (/^Version (\d+)\.(\d+)/.exec(said.value) ?? []) : [];
  return major === undefined ? undefined : (Number(major) << 16) | Number(minor);
}
