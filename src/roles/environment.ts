/**
 * The environment of the processes that we start.
 *
 * Invariant: programs that are not ours find nothing of our runtime's settings in it. They may be built
 * with the same runtime.
 */
import { ownEnvironment } from "./own_process.ts";

/**
 * Settings of the runtime for our long-lived processes. It reads them from its environment when it
 * starts, and from nowhere else: so they are given by the process that starts another.
 */
const RUNTIME_SETTINGS: Readonly<Record<string, string>> = {
  /*
   * The engine's last and dearest compiler begins after some thousand runs of a function. For a daemon
   * that idles between bursts (a recovery, one client's scan) it then works longer on the code than the
   * burst lasted: during the first recovery of 10 000 records its threads used more CPU than all the rest.
   * Ten times the number of runs leaves it to code that stays busy; throughput under steady load is the same.
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

type Environment = Record<string, string>;

/** What this process was given, for a program that it starts. */
export function inheritedEnvironment(): Environment {
  const environment: Environment = {};
  for (const [name, value] of Object.entries(ownEnvironment())) {
    if (value !== undefined && RUNTIME_SETTINGS[name] !== value) environment[name] = value;
  }
  return environment;
}

/** For a program of ours. What somebody has set on purpose goes first. */
export function withRuntimeSettings(environment: Readonly<Environment>): Environment {
  return { ...RUNTIME_SETTINGS, ...environment };
}
