/**
 * ctdbd: reads the configuration, builds the daemon from real platform objects, and runs it, in the
 * background unless told otherwise (docs/operations.md, "ctdbd").
 */
import { fstatSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { LOG_LEVELS, logLevelOfNumber } from "../base/log.ts";
import { err, ok, type Result } from "../base/result.ts";
import { HelperLockProbe, lockCommand } from "../cluster/helper_lock.ts";
import { loadCtdbConfig } from "../config/ctdb_conf.ts";
import { resolvePaths } from "../config/paths.ts";
import { problemText } from "../config/problems.ts";
import { TunableSet } from "../config/tunables.ts";
import { loadTunables } from "../config/tunables_file.ts";
import type { ConfigProblem, ConfiguredNode, CtdbConfig, CtdbPaths } from "../config/types.ts";
import { timedProbe } from "../daemon/cluster_lock_probe.ts";
import { Daemon } from "../daemon/daemon.ts";
import { NoEvents } from "../daemon/event_runner.ts";
import { LockedPidFile } from "../daemon/pid_file.ts";
import { DatabaseSet } from "../database/database_set.ts";
import { BunClock, BunRandom } from "../platform/bun/clock.ts";
import { BunFileSystem } from "../platform/bun/file_system.ts";
import { BunNetwork } from "../platform/bun/network.ts";
import { BunProcesses } from "../platform/bun/processes.ts";
import { BunSharedFiles } from "../platform/bun/shared_file.ts";
import { BunTimers } from "../platform/bun/timers.ts";
import { startInBackground, takeBackgroundReport } from "./ctdbd_background.ts";
import { childEnvironment, recoverdStarter } from "./ctdbd_children.ts";
import { loadNodes } from "./ctdbd_nodes.ts";
import { type Role, VERSION } from "./role.ts";

const USAGE = `Usage: ctdbd [OPTIONS]
Runs the CTDB daemon of this node.

  -i, --interactive           stay in the foreground and log to standard error
      --samba-version=X.Y     Samba version that is announced to other nodes (default 4.25)
      --help                  this text
      --version               the release
`;

const DEFAULT_SAMBA_VERSION = (4 << 16) | 25;
const EPIPE = 32;

export const role: Role = {
  async run(args) {
    const options = readOptions(args);
    if (!options.ok) {
      process.stderr.write(`${options.error}\n${USAGE}`);
      return 1;
    }
    if (options.value.text !== undefined) {
      process.stdout.write(options.value.text);
      return 0;
    }
    return await runDaemon(args, options.value);
  },
};

interface Options {
  readonly interactive: boolean;
  readonly sambaVersion: number;
  /** To be printed instead of running. */
  readonly text: string | undefined;
}

function readOptions(args: readonly string[]): Result<Options> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        interactive: { type: "boolean", short: "i", default: false },
        "samba-version": { type: "string" },
        help: { type: "boolean", short: "?", default: false },
        usage: { type: "boolean", default: false },
        version: { type: "boolean", default: false },
      },
    });
    const sambaVersion = announcedVersion(values["samba-version"], process.env);
    if (!sambaVersion.ok) return sambaVersion;
    const help = values.help || values.usage ? USAGE : undefined;
    return ok({
      interactive: values.interactive,
      sambaVersion: sambaVersion.value,
      text: values.version ? `ctdbd ${VERSION}\n` : help,
    });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/**
 * What keepalives announce: the option, else CTDB_SAMBA_VERSION=X.Y, else (for test harnesses) the
 * number in CTDB_TEST_SAMBA_VERSION, else the release that we follow.
 */
export function announcedVersion(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Result<number> {
  const text = option ?? environment["CTDB_SAMBA_VERSION"];
  if (text !== undefined) {
    const match = /^([0-9]{1,4})\.([0-9]{1,4})$/.exec(text);
    if (match === null) return err(`Samba version: expected MAJOR.MINOR, got "${text}"`);
    return ok((Number(match[1]) << 16) | Number(match[2]));
  }
  const forTests = environment["CTDB_TEST_SAMBA_VERSION"];
  if (forTests === undefined) return ok(DEFAULT_SAMBA_VERSION);
  const version = Number.parseInt(forTests, 10);
  if (version > 0) return ok(version);
  return err(`CTDB_TEST_SAMBA_VERSION: expected a positive number, got "${forTests}"`);
}

interface Configuration {
  readonly paths: CtdbPaths;
  readonly config: CtdbConfig;
  readonly nodes: readonly ConfiguredNode[];
  readonly tunables: TunableSet;
  readonly warnings: readonly ConfigProblem[];
}

/** Everything that files say; all problems at once. */
async function readConfiguration(): Promise<Result<Configuration, readonly string[]>> {
  const files = new BunFileSystem();
  const paths = resolvePaths(process.env, dirname(realpathSync("/proc/self/exe")));
  if (!paths.ok) return err([paths.error]);
  const loaded = loadCtdbConfig(files, paths.value);
  if (!loaded.ok) return err(loaded.error.map(problemText));
  const { config, warnings } = loaded.value;
  const nodes = await loadNodes(config, paths.value, files, new BunProcesses());
  if (!nodes.ok) return err([nodes.error]);
  const tunables = new TunableSet();
  // A wrong tunable does not stop a node, as with the original; the log says which it was.
  const tunableProblems = loadTunables(files, paths.value, tunables);
  return ok({
    paths: paths.value,
    config,
    nodes: nodes.value,
    tunables,
    warnings: [...warnings, ...tunableProblems],
  });
}
