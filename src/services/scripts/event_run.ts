/**
 * The scripts of one event, one after the other.
 *
 *     running ── last script, or one failed ──▶ ended
 *        ├────── time over ──▶ ended, and the script that hangs is left to whoever looks after it
 *        ├────── cancel ──▶ ended, the script killed
 *        └────── orphaned before the next script ──▶ ended
 *
 * Invariant: `done` comes once, never inside the constructor, and neither after `cancel` nor to an orphan.
 */
import { ENOEXEC, ENOMSG, ETIMEDOUT } from "../../base/errno.ts";
import type { Logger } from "../../base/log.ts";
import type { Clock, Timer, Timeval } from "../../platform/types/time.ts";
import type { Script } from "./script_directory.ts";
import { type ScriptHost, ScriptProcess } from "./script_process.ts";

export interface RunHost extends ScriptHost {
  readonly clock: Clock;
  readonly log: Logger;
  /** A line that a script has printed. */
  scriptSaid(line: string): void;
  /**
   * Whoever the events are of is gone. What a script does from then on nobody would undo: the public addresses of a dead
   * ctdbd are being taken down, or already were.
   */
  isOrphaned(): boolean;
}

export interface RunRequest {
  readonly event: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** Go on after a failure. */
  readonly runAll: boolean;
}

export interface ScriptOutcome {
  readonly name: string;
  readonly begin: Timeval;
  readonly end: Timeval;
  /** Exit status ≥ 0, or a negative errno (docs/protocol.md, "Event protocol"). */
  readonly result: number;
  readonly output: string | undefined;
}

export interface RunOutcome {
  /** 0, or the result of the script that failed last. */
  readonly summary: number;
  readonly scripts: readonly ScriptOutcome[];
}

export interface RunOwner {
  done(outcome: RunOutcome): void;
  /** This script hangs. It is the owner's from now on. */
  hung(script: ScriptProcess, event: string): void;
  /** Called for each script that is started, and when it is gone. */
  started(script: ScriptProcess): void;
  gone(script: ScriptProcess): void;
}

const NEVER: Timeval = { sec: 0, usec: 0 };

export class EventRun {
  readonly #host: RunHost;
  readonly #scripts: readonly Script[];
  readonly #request: RunRequest;
  readonly #owner: RunOwner;
  readonly #timer: Timer;
  readonly #outcomes: ScriptOutcome[] = [];
  #summary = 0;
  #state: "running" | "ended" = "running";
  #process: ScriptProcess | undefined;
  #begin: Timeval = NEVER;

  constructor(host: RunHost, scripts: readonly Script[], request: RunRequest, owner: RunOwner) {
    this.#host = host;
    this.#scripts = scripts;
    this.#request = request;
    this.#owner = owner;
    this.#timer = host.timers.after(request.timeoutMs, () => this.#timedOut());
    this.#next();
  }

  get event(): string {
    return this.#request.event;
  }

  cancel(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#timer.cancel();
    this.#process?.kill();
  }

  #next(): void {
    const script = this.#scripts[this.#outcomes.length];
    if (script === undefined) {
      // Not inside the call that began it.
      this.#host.timers.soon(() => this.#finish());
      return;
    }
    if (this.#host.isOrphaned()) {
      this.cancel();
      return;
    }
    this.#begin = this.#host.clock.wallTime();
    if (!script.enabled) {
      this.#add(script.name, -ENOEXEC, undefined);
      this.#next();
      return;
    }
    const started: ScriptProcess = new ScriptProcess(
      this.#host,
      [script.path, this.#request.event, ...this.#request.args],
      {
        ended: (status) => this.#scriptEnded(script, status),
        gone: () => this.#owner.gone(started),
      },
    );
    this.#process = started;
    this.#owner.started(started);
  }

  #scriptEnded(script: Script, status: number): void {
    if (this.#state === "ended") return;
    this.#record(script, status);
    const failed = status !== 0 && status !== -ENOEXEC;
    if (failed && !this.#request.runAll) {
      this.#host.log.notice(`${this.#request.event} event failed`);
      this.#stop();
      return;
    }
    this.#next();
  }

  #timedOut(): void {
    if (this.#state === "ended") return;
    const script = this.#scripts[this.#outcomes.length];
    const hung = this.#process;
    if (script === undefined || hung === undefined) return;
    hung.abandon();
    this.#record(script, -ETIMEDOUT);
    this.#owner.hung(hung, this.#request.event);
    this.#host.log.notice(`${this.#request.event} event timed out`);
    this.#stop();
  }

  #record(script: Script, status: number): void {
    const output = this.#process?.output;
    this.#process?.logOutput((line) => this.#host.scriptSaid(line), script.name);
    this.#process = undefined;
    this.#add(script.name, status, output);
    if (status !== 0 && status !== -ENOEXEC) this.#summary = status;
  }

  #add(name: string, result: number, output: string | undefined): void {
    const end = this.#host.clock.wallTime();
    this.#outcomes.push({ name, begin: this.#begin, end, result, output });
  }

  /** The scripts behind the one that failed have not run. */
  #stop(): void {
    for (const { name } of this.#scripts.slice(this.#outcomes.length)) {
      const nothing = { begin: NEVER, end: NEVER, output: undefined };
      this.#outcomes.push({ name, result: -ENOMSG, ...nothing });
    }
    this.#finish();
  }

  #finish(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#timer.cancel();
    this.#owner.done({ summary: this.#summary, scripts: this.#outcomes });
  }
}
