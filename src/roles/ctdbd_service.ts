/** The service manager that has started this ctdbd, if there is one. */
import { parseWhole } from "../base/c_number.ts";
import type { Logger } from "../base/log.ts";
import { ServiceManager } from "../daemon/report/service_manager.ts";
import { openNotifySocket } from "../platform/libc/notify_socket.ts";
import type { Timers } from "../platform/types/time.ts";

const USEC_MAX = Number.MAX_SAFE_INTEGER;

/** Takes its variables out of the environment: what ctdbd starts must not speak to the manager. */
export function serviceManager(
  timers: Timers,
  startsStopped: boolean,
  log: Logger,
): ServiceManager | undefined {
  const socket = takeVariable("NOTIFY_SOCKET");
  const watchdogUsec = parseWhole(takeVariable("WATCHDOG_USEC") ?? "", USEC_MAX);
  takeVariable("WATCHDOG_PID");
  if (socket === undefined || socket === "") return undefined;
  const send = openNotifySocket(socket);
  if (!send.ok) {
    log.warning(`Cannot tell the service manager anything: ${send.error.message}`);
    return undefined;
  }
  return new ServiceManager({
    timers,
    pid: process.pid,
    watchdogMs: watchdogUsec === undefined ? undefined : watchdogUsec / 1000,
    startsStopped,
    send: (text) => void send.value(text),
  });
}

function takeVariable(name: string): string | undefined {
  const value = process.env[name];
  delete process.env[name];
  return value;
}
