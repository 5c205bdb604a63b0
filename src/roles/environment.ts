/**
 * The environment of the processes that we start.
 *
 * Invariant: programs that are not ours find nothing of our runtime's settings in it. They may be built
 * with the same runtime.
 */
import { ownEnvironment } from "./own_process.ts";

type Settings = Readonly<Record<string, string>>;

/**
 * Settings of the runtime for our own processes. It reads them from its environment when it
 * starts, and from nowhere else: so they are given by the process that starts another.
 */
const RUNTIME_SETTINGS: Settings = {
  /*
   * The engine's last and dearest compiler begins after some thousand runs of a function. For a process
   * that works in bursts (the recovery daemon, one recovery) it then works longer on the code than the
   * burst lasts: ten times the number of runs leaves it to code that stays busy.
   */
  BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: "640000",
  /*
   * One thread marks what is in use, not as many as there are processors. The heap is small, and while the marking
   * ends the loop stands still: it waited for helpers that had to be woken, and on a busy machine for a processor.
   * In a recovery of a million records turns of more than 8 ms went from 31 to 4.
   */
  BUN_JSC_numberOfGCMarkers: "1",
  /*
   * The runtime looks at the heap once a second and collects what an idle second has left. The engine
   * collects by itself as memory is allocated; the look was half of what an idle process used.
   */
  BUN_GC_TIMER_DISABLE: "1",
};

/**
 * For ctdbd, which runs for months: compiled early in all three steps. The last one is the engine's own number: it costs
 * a daemon some 0.4 s of processor time once, and takes a fifth off each operation after that (docs/platform.md, "The
 * executable").
 */
const DAEMON_SETTINGS: Settings = {
  ...RUNTIME_SETTINGS,
  BUN_JSC_thresholdForJITAfterWarmUp: "20",
  BUN_JSC_thresholdForOptimizeAfterWarmUp: "100",
  BUN_JSC_thresholdForOptimizeAfterLongWarmUp: "200",
  BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: "64000",
};

type Environment = Record<string, string>;

/** Set for a helper whose last line of output is to be why it has failed; others print what the original's print. */
export const TELLS_REASON_VARIABLE = "CTDB_HELPER_TELLS_REASON";

/** What this process was given, for a program that it starts. */
export function inheritedEnvironment(): Environment {
  const environment: Environment = {};
  for (const [name, value] of Object.entries(ownEnvironment())) {
    if (value !== undefined && !isOfOurs(name, value)) environment[name] = value;
  }
  return environment;
}

function isOfOurs(name: string, value: string): boolean {
  return RUNTIME_SETTINGS[name] === value || DAEMON_SETTINGS[name] === value;
}

/** For a program of ours. What somebody has set on purpose goes first. */
export function withRuntimeSettings(environment: Readonly<Environment>): Environment {
  return { ...RUNTIME_SETTINGS, ...environment };
}

/** The same for ctdbd. */
export function withDaemonSettings(environment: Readonly<Environment>): Environment {
  return { ...DAEMON_SETTINGS, ...environment };
}
