/**
 * ctdb-admind: keeps the journal of a node, and serves its API, metrics and page (docs/admin.md). A child of ctdbd and only
 * a client of it: when it ends or hangs, nothing else does. It ends with its ctdbd, and on SIGTERM.
 */
import { collectGarbage } from "#runtime";
import { createApi } from "../admin/api/app.ts";
import {
  ACTION_RATE,
  CONNECT_MS_MAX,
  LAST_WORDS_MS,
  REQUEST_RATE,
  WRONG_TOKEN_RATE,
} from "../admin/limits.ts";
import { ApiMessageServer } from "../admin/messages/api_message_server.ts";
import { pageFiles } from "../admin/page/files.ts";
import type { Webhooks } from "../admin/webhooks.ts";
import { QuietCollector } from "../base/quiet_collector.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ToolHost } from "../cli/host.ts";
import { ApiRequests } from "../client/api_request.ts";
import { type ConnectedClient, connectClient } from "../client/ctdb_client.ts";
import { JournalReporter } from "../client/journal_reporter.ts";
import { type ApplianceConfig, readApplianceConfig } from "../config/appliance_conf.ts";
import { loadCtdbConfig } from "../config/ctdb_conf.ts";
import { resolvePaths } from "../config/paths.ts";
import { hasErrors, problemText } from "../config/problems.ts";
import type { CtdbConfig, CtdbPaths } from "../config/types.ts";
import { residentMemory } from "../platform/libc/resident_memory.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { SystemClock, SystemRandom, threadProcessorMs } from "../platform/node/clock.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import type { RoleLogger } from "../platform/node/logger.ts";
import { CtdbdConnection } from "./admind_connection.ts";
import { AdmindDaemon } from "./admind_daemon.ts";
import { AdmindJournal } from "./admind_journal.ts";
import { AdmindServers } from "./admind_servers.ts";
import { TokenFile } from "./admind_tokens.ts";
import { admindTool } from "./admind_tool.ts";
import { admindWebhooks } from "./admind_webhooks.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { ImageProcesses } from "./image_processes.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import { parentOf, watchParent } from "./parent_watch.ts";
import { type Role, VERSION } from "./role.ts";
import { openChildLog } from "./role_log.ts";

const USAGE = `Usage: ctdb-admind [-P PID]

Keeps the journal of this node and serves its HTTP API, metrics and page. Started by ctdbd where section [admin] of
ctdb-appliance.conf says so, with the same environment and configuration.

  -P PID  of the ctdbd that it ends with (default: of its parent)
`;

const SOCKET = "admind.socket";
const COLLECT_AFTER_START_MS = 5000;

export const role: Role = { run };

async function run(args: readonly string[]): Promise<number> {
  if (args[0] === "--help") {
    printOut(USAGE);
    return 0;
  }
  const parent = parentOf(args);
  if (parent === undefined) {
    printErr(USAGE);
    return 1;
  }
  const settings = readSettings();
  if (!settings.ok) {
    printErr(`ctdb-admind: ${settings.error}\n`);
    return 1;
  }
  const loop = new EventLoop();
  const processes = new ImageProcesses(loop);
  const environment = ownEnvironment();
  const { config, paths } = settings.value;
  const logger = openChildLog("ctdb-admind", config.logging, environment, processes);
  if (!logger.ok) {
    printErr(`ctdb-admind: ${logger.error}\n`);
    return 1;
  }
  const log = logger.value;
  processes.helpersIn(paths.helperDirectory, (line) => log.warning(line));
  keepSmall(loop);
  const close = await build(settings.value, { loop, processes, log });
  const end = (reason: string) => {
    log.notice(`${reason}, exiting`);
    close();
    loop.after(LAST_WORDS_MS, () => process.exit(0));
  };
  watchParent(loop, () => end("ctdbd has ended"), parent);
  process.on("SIGTERM", () => end("Received SIGTERM"));
  return await new Promise<number>(() => {});
}

interface Settings {
  readonly paths: CtdbPaths;
  readonly config: CtdbConfig;
  readonly appliance: ApplianceConfig;
}

function readSettings(): Result<Settings> {
  const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
  if (!paths.ok) return paths;
  const files = new SystemFiles();
  const loaded = loadCtdbConfig(files, paths.value);
  if (!loaded.ok) return err(loaded.error.map(problemText).join("\n"));
  const appliance = readApplianceConfig(files, paths.value);
  if (hasErrors(appliance.problems)) return err(appliance.problems.map(problemText).join("\n"));
  return ok({ paths: paths.value, config: loaded.value.config, appliance: appliance.config });
}

interface Own {
  readonly loop: EventLoop;
  readonly processes: ImageProcesses;
  readonly log: RoleLogger;
}

/** The result ends what serves and what keeps, at once. */
async function build(settings: Settings, { loop, processes, log }: Own): Promise<() => void> {
  const { paths, appliance } = settings;
  const { admin } = appliance;
  const [clock, random, files] = [new SystemClock(), new SystemRandom(), new SystemFiles()];
  const network = new LoopNetwork(loop);
  let host: Promise<ToolHost> | undefined;
  const loadHost = () => {
    host ??= import("./admind_tool_host.ts").then(({ admindToolHost }) =>
      admindToolHost({ network, timers: loop, clock, processes }),
    );
    return host;
  };
  let requests: ApiRequests | undefined;
  let reporter: JournalReporter | undefined;
  const connection = new CtdbdConnection({
    network,
    timers: loop,
    socket: paths.socket,
    log,
    connected: (client) => void join(client),
  });
  const client = () => connection.client;
  const node = () => connection.node;
  const daemon = new AdmindDaemon({ clock, timers: loop, random, loadHost, client, node });
  const journal = new AdmindJournal({
    ...{ config: appliance.journal, files, clock, timers: loop, random, log, client, node },
    connect: () => connectClient(network, loop, paths.socket, { timeoutMs: CONNECT_MS_MAX }),
    requests: () => requests,
  });
  const tokens = admin.tokenFile === undefined ? undefined : new TokenFile(admin.tokenFile, log);
  const webhooks: Webhooks = admindWebhooks(admin.webhooks, loop, log, journal.answers);
  const api = createApi(
    {
      version: VERSION,
      clock,
      timers: loop,
      secrets: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
      log,
      tool: admindTool(loadHost),
      daemon,
      journal: journal.answers,
      record: (event) => reporter?.record(event),
      tokens: () => tokens?.tokens(clock.monotonicMs()) ?? [],
      actions: admin.actions,
      secureCookies: admin.tlsCertificate !== undefined,
      rates: { requests: REQUEST_RATE, actions: ACTION_RATE, wrongTokens: WRONG_TOKEN_RATE },
      metrics: admin.metrics,
      page: pageFiles(),
      residentBytes,
    },
    () => webhooks.counts,
  );
  journal.onEvents((events) => {
    api.publish(events);
    webhooks.publish(events);
  });
  const messages = new ApiMessageServer(api, clock);

  async function join(connected: ConnectedClient): Promise<void> {
    reporter = new JournalReporter(connected, "admind", clock, loop);
    daemon.connected(connected);
    const opened = await ApiRequests.open({ client: connected, clock, timers: loop, random });
    if (opened.ok) requests = opened.value;
    const served = await messages.serve(connected);
    if (!served.ok) log.warning(`Questions of other nodes are not heard: ${served.error.reason}`);
  }

  const socket = `${paths.runDirectory}/${SOCKET}`;
  const servers = new AdmindServers({ api, socket, config: admin, files, timers: loop, log });
  return () => {
    api.close();
    webhooks.close();
    journal.close();
    // What streams say last is on its way for LAST_WORDS_MS.
    loop.after(LAST_WORDS_MS / 2, () => servers.close());
  };
}

/** What a burst of questions leaves behind, and what the start does. */
function keepSmall(loop: EventLoop): void {
  const quiet = {
    timers: loop,
    processorMs: threadProcessorMs,
    memory: residentMemory,
    collect: collectGarbage,
    releaseMapped: () => [][Symbol.iterator](),
  };
  new QuietCollector(quiet).start();
  loop.after(COLLECT_AFTER_START_MS, collectGarbage);
}

function residentBytes(): number {
  const { ownBytes, mappedBytes } = residentMemory();
  return ownBytes + mappedBytes;
}
