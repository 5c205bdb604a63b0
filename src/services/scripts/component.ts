/**
 * A component: one directory of scripts, the events that run in it and what came of them.
 *
 * Invariants:
 * 1. One event at a time. A `monitor` that runs is cancelled by any other that comes, and one that comes while another
 *    event runs is cancelled at once; the others wait for their turn.
 * 2. The results of an event are those of its last run that was not cancelled. Scripts that a run did not come to keep
 *    their result of the run before.
 * 3. The last run of an event in which no script failed is kept, whatever came after it.
 */
import { EAGAIN, ECANCELED, EINVAL, ENOENT, ENOEXEC, ENOMSG, ETIMEDOUT } from "../../base/errno.ts";
import type { ScriptFiles } from "../../platform/types/script_files.ts";
import { EVENTS_REMEMBERED_MAX, WAITING_RUNS_MAX } from "../limits.ts";
import { EventRun, type RunHost, type RunOutcome, type RunRequest } from "./event_run.ts";
import type { HungScripts } from "./hung_scripts.ts";
import { listScripts } from "./script_directory.ts";
import type { ScriptProcess } from "./script_process.ts";

const MONITOR = "monitor";

interface WaitingRun {
  readonly request: RunRequest;
  /** An errno, or 0. */
  readonly done: (result: number) => void;
}

interface EventResults {
  readonly last: RunOutcome;
  readonly lastGood: RunOutcome | undefined;
}

export class Component {
  readonly #host: RunHost;
  readonly #files: ScriptFiles;
  readonly #directory: string;
  readonly #hung: HungScripts;
  readonly #waiting: WaitingRun[] = [];
  #current: { readonly run: EventRun; readonly waiting: WaitingRun } | undefined;
  /** By the name of the event, the one that ran last at the end. */
  readonly #results = new Map<string, EventResults>();
  readonly #scripts = new Set<ScriptProcess>();
  #closed = false;

  constructor(host: RunHost, files: ScriptFiles, directory: string, hung: HungScripts) {
    this.#host = host;
    this.#files = files;
    this.#directory = directory;
    this.#hung = hung;
  }

  /** `done` with 0 or an errno, not inside the call but for an event that is refused. */
  run(request: RunRequest, done: (result: number) => void): void {
    const current = this.#current;
    if (current?.run.event === MONITOR) {
      this.#current = undefined;
      current.run.cancel();
      this.#host.log.info(`Event "${MONITOR}" is cancelled by "${request.event}"`);
      current.waiting.done(ECANCELED);
    } else if (current !== undefined && request.event === MONITOR) {
      done(ECANCELED);
      return;
    }
    if (this.#waiting.length >= WAITING_RUNS_MAX) {
      this.#host.log.error(`Event "${request.event}" is refused: ${WAITING_RUNS_MAX} wait`);
      done(EAGAIN);
      return;
    }
    this.#waiting.push({ request, done });
    this.#start();
  }

  /** EINVAL: it has never run. */
  results(event: string, which: "last" | "last good"): RunOutcome | typeof EINVAL {
    const results = this.#results.get(event);
    return (which === "last" ? results?.last : results?.lastGood) ?? EINVAL;
  }

  close(): void {
    this.#closed = true;
    this.#current?.run.cancel();
    this.#current = undefined;
    this.#waiting.length = 0;
    for (const script of this.#scripts) script.kill();
  }

  #start(): void {
    if (this.#closed || this.#current !== undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    const scripts = listScripts(this.#files, this.#directory);
    if (!scripts.ok) {
      const missing = scripts.error === ENOENT;
      this.#host.log.warning(
        `Event script directory "${this.#directory}" ${missing ? "was removed" : "cannot be read"}`,
      );
      this.#host.timers.soon(() => this.#ended(waiting, scripts.error));
      return;
    }
    const { request } = waiting;
    this.#host.log.debug(`Running event ${request.event} with args "${request.args.join(" ")}"`);
    const run = new EventRun(this.#host, scripts.value, request, {
      done: (outcome) => {
        this.#current = undefined;
        this.#remember(request.event, outcome);
        this.#ended(waiting, resultOf(outcome));
      },
      hung: (script, event) => this.#hung.take(script, event),
      started: (script) => this.#scripts.add(script),
      gone: (script) => this.#scripts.delete(script),
    });
    this.#current = { run, waiting };
  }

  #ended(waiting: WaitingRun, result: number): void {
    // First the next: who hears of the end may ask for more.
    this.#start();
    waiting.done(result);
  }

  #remember(event: string, outcome: RunOutcome): void {
    const before = this.#results.get(event);
    const lastGood = outcome.summary === 0 ? outcome : before?.lastGood;
    this.#results.delete(event);
    this.#results.set(event, { last: completed(outcome, before?.last), lastGood });
    if (this.#results.size <= EVENTS_REMEMBERED_MAX) return;
    const [oldest] = this.#results.keys();
    if (oldest !== undefined) this.#results.delete(oldest);
  }
}

function resultOf({ summary }: RunOutcome): number {
  if (summary === 0) return 0;
  return summary === -ETIMEDOUT ? ETIMEDOUT : ENOEXEC;
}

function completed(outcome: RunOutcome, before: RunOutcome | undefined): RunOutcome {
  if (before === undefined || outcome.summary === 0) return outcome;
  const old = new Map(before.scripts.map((script) => [script.name, script]));
  const scripts = outcome.scripts.map((script) =>
    script.result === -ENOMSG ? (old.get(script.name) ?? script) : script,
  );
  return { summary: outcome.summary, scripts };
}
