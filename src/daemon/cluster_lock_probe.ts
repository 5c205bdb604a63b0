/**
 * Checks the cluster lock at the end of a recovery: the leader must hold it, so we must not be able to
 * take it. Runs the helper once and gives back what it says (docs/protocol.md, "Mutex helpers").
 */
import type { Logger } from "../base/log.ts";
import type { ChildProcess, Clock, Processes, Timers } from "../platform/types.ts";

/** "timeout" counts as held by somebody: the file system may be slow after a node died. */
export type ProbeOutcome = "taken" | "contended" | "timeout" | "error";

export interface ClusterLockProbe {
  probe(done: (outcome: ProbeOutcome, latencySec: number) => void): void;
}

const PROBE_TIMEOUT_MS = 5000;

export interface HelperProbeDependencies {
  readonly processes: Processes;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly environment: Readonly<Record<string, string>>;
  readonly helperDirectory: string;
}

/** `!command` is run as it is; a path is for the fcntl helper. */
export function clusterLockArgv(
  lock: string,
  helperDirectory: string,
): readonly [string, ...string[]] | undefined {
  if (!lock.startsWith("!")) return [`${helperDirectory}/ctdb_mutex_fcntl_helper`, lock];
  const [command, ...rest] = lock
    .slice(1)
    .split(/[ \t]+/)
    .filter((word) => word !== "");
  return command === undefined ? undefined : [command, ...rest];
}

export class HelperProbe implements ClusterLockProbe {
  readonly #lock: string;
  readonly #d: HelperProbeDependencies;

  constructor(lock: string, dependencies: HelperProbeDependencies) {
    this.#lock = lock;
    this.#d = dependencies;
  }

  probe(done: (outcome: ProbeOutcome, latencySec: number) => void): void {
    const { processes, timers, clock, log, environment, helperDirectory } = this.#d;
    const startedMs = clock.monotonicMs();
    let child: ChildProcess | undefined;
    let ended = false;
    const end = (outcome: ProbeOutcome) => {
      if (ended) return;
      ended = true;
      timeout.cancel();
      // The helper gives the lock back when it is told to go.
      child?.kill("SIGTERM");
      done(outcome, (clock.monotonicMs() - startedMs) / 1000);
    };
    const timeout = timers.after(PROBE_TIMEOUT_MS, () => end("timeout"));
    const argv = clusterLockArgv(this.#lock, helperDirectory);
    if (argv === undefined) {
      log.error(`Cannot check cluster lock "${this.#lock}": expected a command after "!"`);
      timers.soon(() => end("error"));
      return;
    }
    const spawned = processes.spawn({
      argv,
      env: environment,
      onStdout: (chunk) => end(outcomeOf(chunk[0])),
      onStdoutEnd: () => end("error"),
      onExit: () => {
        child = undefined;
        end("error");
      },
    });
    if (spawned.ok) {
      child = spawned.value;
      return;
    }
    log.error(`Cannot check cluster lock "${this.#lock}": ${spawned.error.message}`);
    timers.soon(() => end("error"));
  }
}

function outcomeOf(byte: number | undefined): ProbeOutcome {
  switch (byte) {
    case 0x30:
      return "taken";
    case 0x31:
      return "contended";
    case 0x32:
      return "timeout";
    default:
      return "error";
  }
}
