/**
 * The notification script: told in one word what happened to this node (docs/operations.md, "Event scripts").
 *
 * Invariants:
 * 1. One at a time, in order. One that takes too long is killed, and of many that wait the oldest are dropped.
 * 2. Nobody waits for it, and its failure is a line in the log.
 */
import type { Logger } from "../base/log.ts";
import type { ScriptFiles } from "../platform/types/script_files.ts";
import type { Timer } from "../platform/types/time.ts";
import { NOTIFICATION_MS_MAX, NOTIFICATIONS_WAITING_MAX } from "./limits.ts";
import { type ScriptHost, ScriptProcess } from "./scripts/script_process.ts";

export type Notification = "init" | "setup" | "startup" | "healthy" | "unhealthy";

export class Notifications {
  readonly #host: ScriptHost;
  readonly #files: ScriptFiles;
  readonly #path: string;
  readonly #log: Logger;
  readonly #waiting: Notification[] = [];
  #running: { readonly script: ScriptProcess; readonly limit: Timer } | undefined;

  constructor(host: ScriptHost, files: ScriptFiles, path: string, log: Logger) {
    this.#host = host;
    this.#files = files;
    this.#path = path;
    this.#log = log;
  }

  notify(what: Notification): void {
    if (!this.#files.isExecutable(this.#path)) {
      this.#log.info(
        `Notification script "${this.#path}" is not executable: "${what}" is not told`,
      );
      return;
    }
    this.#waiting.push(what);
    if (this.#waiting.length > NOTIFICATIONS_WAITING_MAX) {
      this.#log.error(`Notification "${this.#waiting.shift()}" is dropped: too many wait`);
    }
    this.#next();
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const what = this.#waiting.shift();
    if (what === undefined) return;
    const script: ScriptProcess = new ScriptProcess(this.#host, [this.#path, what], {
      ended: (status) => {
        if (status !== 0) this.#failed(what, script, `failed with status ${status}`);
        this.#ended();
      },
    });
    const limit = this.#host.timers.after(NOTIFICATION_MS_MAX, () => {
      script.kill();
      this.#failed(what, script, `took more than ${NOTIFICATION_MS_MAX / 1000} s`);
      this.#ended();
    });
    this.#running = { script, limit };
  }

  #failed(what: Notification, script: ScriptProcess, how: string): void {
    this.#log.error(`Notification script "${this.#path} ${what}" ${how}`);
    script.logOutput((line) => this.#log.error(line), "notification");
  }

  #ended(): void {
    this.#running?.limit.cancel();
    this.#running = undefined;
    this.#next();
  }
}
