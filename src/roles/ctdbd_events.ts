/** How ctdbd runs events: by an event daemon, or not at all where there is no directory of event scripts. */
import type { Journal } from "../base/journal_event.ts";
import { TracedTurns } from "../base/trace.ts";
import type { CtdbPaths } from "../config/types.ts";
import type { EventLoop } from "../platform/loop/event_loop.ts";
import { threadProcessorMs } from "../platform/node/clock.ts";
import type { RoleLogger } from "../platform/node/logger.ts";
import type { SystemProcesses } from "../platform/node/processes.ts";
import { SystemScriptFiles } from "../platform/node/script_files.ts";
import type { Network } from "../platform/types/network.ts";
import type { Clock } from "../platform/types/time.ts";
import type { EventRunner } from "../services/event_runner.ts";
import { EventdEvents } from "../services/eventd_events.ts";
import { NoEvents } from "../services/no_events.ts";
import { type Notification, Notifications } from "../services/notifications.ts";
import { Turns } from "../transport/turns.ts";
import { eventdStarter } from "./ctdbd_children.ts";
import { VERSION } from "./role.ts";

export interface DaemonEventsParts {
  readonly paths: CtdbPaths;
  readonly loop: EventLoop;
  readonly processes: SystemProcesses;
  readonly network: Network;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: RoleLogger;
  readonly journal: Journal;
  /** The event daemon has ended by itself. */
  gone(reason: string): void;
}

export interface DaemonEvents {
  readonly events: EventRunner;
  notify(what: Notification): void;
  /** The configuration has changed. */
  reconfigure(): void;
  /** Nothing that runs events stays. */
  stop(): void;
}

export function buildEvents(parts: DaemonEventsParts): DaemonEvents {
  const { paths, loop, processes, environment, log } = parts;
  const files = new SystemScriptFiles();
  const notifications = new Notifications(
    { processes, timers: loop, environment },
    files,
    `${paths.etcDirectory}/notify.sh`,
    log,
  );
  const notify = (what: Notification): void => notifications.notify(what);
  const directory = `${paths.etcDirectory}/events`;
  if (!files.isDirectory(`${directory}/legacy`)) {
    return { events: new NoEvents(log, loop), notify, reconfigure() {}, stop() {} };
  }
  const events = new EventdEvents({
    start: eventdStarter(processes, paths.helperDirectory, environment, log),
    connector: parts.network,
    socket: paths.eventSocket,
    directory,
    files,
    turns: new Turns(new TracedTurns(parts.clock, () => undefined, threadProcessorMs), loop),
    timers: loop,
    log,
    journal: parts.journal,
    version: VERSION,
    gone: (reason) => parts.gone(reason),
  });
  return {
    events,
    notify,
    reconfigure: () => events.reconfigure(),
    stop: () => events.stop(),
  };
}
