/**
 * What happens to a script that hangs: the debug script looks at it, then it is ended.
 *
 * Invariants:
 * 1. Every script that was given here is ended, also without a debug script and when that hangs too.
 * 2. At most one debug script runs at a time; another script that hangs meanwhile is ended at once.
 */
import type { Timer } from "../../platform/types/time.ts";
import { DEBUG_SCRIPT_MS_MAX } from "../limits.ts";
import type { RunHost } from "./event_run.ts";
import { ScriptProcess } from "./script_process.ts";

export class HungScripts {
  readonly #host: RunHost;
  readonly #debugScript: () => string | undefined;
  #debugging: { readonly script: ScriptProcess; readonly limit: Timer } | undefined;

  /** `debugScript`: its path, when there is one. */
  constructor(host: RunHost, debugScript: () => string | undefined) {
    this.#host = host;
    this.#debugScript = debugScript;
  }

  take(hung: ScriptProcess, event: string): void {
    const path = this.#debugScript();
    const { pid } = hung;
    if (pid === undefined) return;
    if (path === undefined || this.#debugging !== undefined) {
      hung.terminate();
      return;
    }
    this.#host.log.debug(`Running debug ${path} with args "${pid} ${event}"`);
    const script: ScriptProcess = new ScriptProcess(this.#host, [path, String(pid), event], {
      ended: (status) => this.#debugged(script, hung, `ended with ${status}`),
    });
    const limit = this.#host.timers.after(DEBUG_SCRIPT_MS_MAX, () => {
      script.kill();
      this.#debugged(script, hung, "took too long");
    });
    this.#debugging = { script, limit };
  }

  close(): void {
    this.#debugging?.limit.cancel();
    this.#debugging?.script.kill();
    this.#debugging = undefined;
  }

  #debugged(script: ScriptProcess, hung: ScriptProcess, how: string): void {
    this.#debugging?.limit.cancel();
    this.#debugging = undefined;
    const { log } = this.#host;
    script.logOutput((line) => this.#host.scriptSaid(line), "event_debug");
    log.debug(`The debug script ${how}`);
    hung.terminate();
  }
}
