/** The service manager that has started this ctdbd, if there is one. */
import { parseWhole } from "../base/c_number.ts";
import type { Logger } from "../base/log.ts";
import { ServiceManager } from "../daemon/report/service_manager.ts";
import { notifySocket } from "../platform/node/notify_socket.ts";
import type { Clock, Timers } from "../platform/types/time.ts";

const USEC_MAX = Number.MAX_SAFE_INTEGER;

/** Takes its variables out of the environment: what ctdbd starts must not speak to the manager. */
export function serviceManager(own: {
  readonly timers: Timers;
  readonly clock: Clock;
  readonly startsStopped: boolean;
  readonly log: Logger;
}): ServiceManager | undefined {
  const name = takeVariable("NOTIFY_SOCKET");
  const watchdogUsec = parseWhole(takeVariable("WATCHDOG_USEC") ?? "", USEC_MAX) ?? 0;
  takeVariable("WATCHDOG_PID");
  if (name === undefined || name === "") return undefined;
  const socket = notifySocket(name);
  if (socket === undefined) {
    own.log.warning(
      `Cannot tell the service manager anything: expected a path or "@" and a name in NOTIFY_SOCKET, got "${name}"`,
    );
    return undefined;
  }
  const service = new ServiceManager({
    timers: own.timers,
    pid: process.pid,
    watchdogMs: watchdogUsec === 0 ? undefined : watchdogUsec / 1000,
    startsStopped: own.startsStopped,
    send: (text) => socket.send(text),
  });
  // The logs were reopened by the handler before this one.
  process.on("SIGHUP", () => service.reloaded(own.clock.monotonicMs() * 1000));
  return service;
}

function takeVariable(name: string): string | undefined {
  const value = process.env[name];
  delete process.env[name];
  return value;
}
