/** What ends ctdbd from outside, and how its process ends. */
import { fstatSync } from "node:fs";
import { EPIPE } from "../base/errno.ts";
import type { Daemon } from "../daemon/lifecycle/daemon.ts";
import type { RoleLogger } from "../platform/node/logger.ts";

/** Ends the process now: threads that wait for locks must not keep it. */
export function exitNow(code: number, log: RoleLogger): never {
  log.flush();
  process.exit(code);
}

export function handleSignals(daemon: Daemon, testMode: boolean): void {
  process.on("SIGTERM", () => daemon.shutdown(0, "Received SIGTERM"));
  process.on("SIGINT", () => daemon.shutdown(0, "Received SIGINT"));
  process.on("SIGUSR1", () => {});
  process.on("SIGPIPE", () => {});
  if (testMode) endWithStandardInput(daemon);
}

/** Harnesses keep a pipe to a daemon's standard input and close it to end the daemon. */
function endWithStandardInput(daemon: Daemon): void {
  try {
    if (!fstatSync(0).isFIFO()) return;
  } catch {
    return;
  }
  process.stdin.on("end", () => daemon.shutdown(EPIPE, "stdin closed"));
  process.stdin.on("error", () => daemon.shutdown(EPIPE, "stdin failed"));
  process.stdin.resume();
}
