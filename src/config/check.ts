/**
 * Everything that a start would read, looked at without starting anything. More is wrong here than would stop a start:
 * a name that nobody knows, and a tunable that would be left at its default.
 */
import type { FileSystem } from "../platform/types/files.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";
import { readApplianceConfig } from "./appliance_conf.ts";
import { readCtdbConfig } from "./ctdb_conf.ts";
import { type NodesOutcome, nodesSource } from "./nodes.ts";
import { optionPath } from "./option_table.ts";
import { OPTIONS } from "./options.ts";
import { ProblemList, quoted } from "./problems.ts";
import {
  loadPublicAddresses,
  PUBLIC_ADDRESSES_FILE,
  type PublicAddressesOutcome,
} from "./public_addresses.ts";
import { checkScriptOptions } from "./script_options.ts";
import {
  missingInterfaces,
  missingInterfaceText,
  ownAddressProblem,
  type ThisMachine,
} from "./this_machine.ts";
import { TunableSet } from "./tunables.ts";
import { loadTunables } from "./tunables_file.ts";
import type { ConfigProblem, ConfiguredNode, CtdbConfig, CtdbPaths } from "./types.ts";

/** What a check refuses; the others are hints. */
export function isRefused({ severity }: ConfigProblem): boolean {
  return severity !== "warning";
}

/** What `ctdb-config validate` looks at: files of options, and nothing that depends on other nodes. */
export function checkOptionFiles(files: FileSystem, paths: CtdbPaths): readonly ConfigProblem[] {
  return [
    ...readCtdbConfig(files, paths).problems,
    ...readApplianceConfig(files, paths).problems,
    ...checkScriptOptions(files, paths),
  ];
}

/**
 * `loadNodes` reads the nodes file, or runs the command that prints it. Without `machine` nothing is said of addresses and
 * interfaces.
 */
export async function checkConfiguration(
  files: FileSystem,
  paths: CtdbPaths,
  loadNodes: (config: CtdbConfig) => Promise<NodesOutcome>,
  machine: ThisMachine | undefined,
): Promise<readonly ConfigProblem[]> {
  const { config, problems } = readCtdbConfig(files, paths);
  const file = `${paths.etcDirectory}/ctdb.conf`;
  const nodes = await loadNodes(config);
  const publicFile = `${paths.etcDirectory}/${PUBLIC_ADDRESSES_FILE}`;
  const addresses = loadPublicAddresses(files, publicFile);
  return [
    ...problems,
    ...checkDirectories(file, config, problems, files),
    ...readApplianceConfig(files, paths).problems,
    ...(nodes.ok ? checkNodeAddress(file, config, nodes.value) : nodes.error),
    ...(addresses.ok ? [] : addresses.error),
    ...(machine === undefined
      ? []
      : [
          ...checkOwnAddress(machine, paths, config, nodes),
          ...checkInterfaces(machine, publicFile, addresses),
        ]),
    ...loadTunables(files, paths, new TunableSet()),
    ...checkScriptOptions(files, paths),
  ];
}

/** Those that are left to the default, too: a start needs them. */
function checkDirectories(
  file: string,
  { database }: CtdbConfig,
  told: readonly ConfigProblem[],
  files: FileSystem,
): readonly ConfigProblem[] {
  const problems = new ProblemList(file);
  const directories = [
    [OPTIONS.volatileDirectory, database.volatileDirectory],
    [OPTIONS.persistentDirectory, database.persistentDirectory],
    [OPTIONS.stateDirectory, database.stateDirectory],
  ] as const;
  for (const [option, directory] of directories) {
    const path = optionPath(option);
    if (told.some((one) => one.path === path && one.severity === "error")) continue;
    if (files.isWritableDirectory(directory)) continue;
    problems.error(0, `expected a directory that can be written, got ${quoted(directory)}`, path);
  }
  return problems.all();
}

/** A hint: the file may be for another machine, and the address may come before the start. */
function checkOwnAddress(
  { interfaces }: ThisMachine,
  paths: CtdbPaths,
  config: CtdbConfig,
  nodes: NodesOutcome,
): readonly ConfigProblem[] {
  const listed = nodes.ok ? nodes.value.filter(({ deleted }) => !deleted) : [];
  const addresses = listed.map(({ address }) => address);
  const reason = ownAddressProblem(interfaces, addresses, config.cluster.nodeAddress);
  const source = nodesSource(config, paths);
  const problems = new ProblemList(source.kind === "file" ? source.path : source.argv.join(" "));
  if (reason !== undefined) problems.warning(0, reason);
  return problems.all();
}

/** A hint, likewise. */
function checkInterfaces(
  machine: ThisMachine,
  file: string,
  addresses: PublicAddressesOutcome,
): readonly ConfigProblem[] {
  const problems = new ProblemList(file);
  for (const name of missingInterfaces(addresses.ok ? addresses.value : [], machine)) {
    problems.warning(0, missingInterfaceText(name));
  }
  return problems.all();
}

function checkNodeAddress(
  file: string,
  { cluster }: CtdbConfig,
  nodes: readonly ConfiguredNode[],
): readonly ConfigProblem[] {
  const { nodeAddress } = cluster;
  const problems = new ProblemList(file);
  const parsed = nodeAddress === undefined ? undefined : parseAddress(nodeAddress);
  if (parsed?.ok !== true || nodes.some(({ address }) => address === parsed.value.address)) {
    return [];
  }
  const path = optionPath(OPTIONS.nodeAddress);
  problems.error(
    0,
    `expected an address of the nodes list, got ${quoted(nodeAddress ?? "")}`,
    path,
  );
  return problems.all();
}
