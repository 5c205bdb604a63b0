/**
 * ctdbd: reads the configuration, builds the daemon from real platform objects, and runs it, in the
 * background unless told otherwise (docs/daemon.md, "Command"). This file is the order of it; each step
 * is a file beside it.
 */
import type { Result } from "../base/result.ts";
import { problemText } from "../config/problems.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { startInBackground, takeBackgroundReport } from "./ctdbd_background.ts";
import { checkStart } from "./ctdbd_check.ts";
import { readConfiguration } from "./ctdbd_configuration.ts";
import { buildDaemon } from "./ctdbd_graph.ts";
import { type Options, readOptions, USAGE } from "./ctdbd_options.ts";
import { exitNow, handleSignals } from "./ctdbd_signals.ts";
import { ImageProcesses } from "./image_processes.ts";
import { ownEnvironment } from "./own_process.ts";
import { realtimeLoop } from "./realtime.ts";
import type { Role } from "./role.ts";
import { openRoleLog } from "./role_log.ts";
import { ROLES } from "./table.ts";

export const role: Role = {
  async run(args) {
    // Alone in a directory this executable stands in for its children, too.
    const [first, ...rest] = args;
    const other = ROLES.find(({ name }) => name === first && name !== "ctdbd");
    if (other !== undefined) return await (await other.load()).role.run(rest);
    const options = readOptions(args);
    if (!options.ok) {
      printErr(`${options.error}\n${USAGE}`);
      return 1;
    }
    if (options.value.text !== undefined) {
      printOut(options.value.text);
      return 0;
    }
    if (options.value.checkConfig) return await checkStart();
    return await runDaemon(args, options.value);
  },
};

async function runDaemon(args: readonly string[], options: Options): Promise<number> {
  const report = takeBackgroundReport();
  const loop = new EventLoop();
  const processes = new ImageProcesses(loop);
  const configuration = await readConfiguration(processes);
  if (!configuration.ok) {
    const reason = configuration.error.join("\n");
    if (report === undefined) printErr(`${reason}\n`);
    report?.(reason);
    return 1;
  }
  const { paths, config } = configuration.value;
  if (report === undefined && !options.interactive) {
    return await startInBackground("ctdbd", args, {
      keepStdin: paths.testMode,
      logLocation: config.logging.location,
    });
  }
  const location = options.interactive ? "file:" : config.logging.location;
  const logger = openRoleLog(
    {
      location,
      level: config.logging.logLevel,
      application: "ctdbd",
      environment: ownEnvironment(),
    },
    processes,
  );
  if (!logger.ok) {
    if (report === undefined) printErr(`${logger.error}\n`);
    report?.(logger.error);
    return 1;
  }
  const log = logger.value;
  processes.helpersIn(paths.helperDirectory, (line) => log.warning(line));
  const fail = (reason: string): number => {
    // On standard error the command that waits for the report has it said already.
    if (report === undefined || !log.toStandardError) log.lastWords(reason);
    report?.(reason);
    return exitNow(1, log);
  };
  for (const warning of configuration.value.warnings) log.warning(problemText(warning));
  const realtime = realtimeLoop(config, paths.testMode, log);
  const own = { location, log, loop, processes, realtime };
  const daemon = buildDaemon(configuration.value, options, own);
  if (!daemon.ok) return fail(daemon.error);
  handleSignals(daemon.value, paths.testMode);
  const started = await new Promise<Result<void>>((resolve) => daemon.value.start(resolve));
  if (!started.ok) return fail(started.error);
  report?.(undefined);
  return await new Promise<number>(() => {});
}
