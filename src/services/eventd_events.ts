/**
 * Events by an event daemon, which is a child of ours: started with the first event, and asked over its socket.
 *
 *     idle ── first event ──▶ starting ── it is ready, and we are connected ──▶ running
 *                                └── no, or too late ──▶ ended ◀── child or connection gone, stop ──┘
 *
 * Invariants:
 * 1. Every event that was begun is answered once: by the event daemon, or with EVENT_TIMED_OUT when it says nothing in
 *    time, or with EIO when it is gone. None after its cancel, and none after `stop`.
 * 2. `gone` comes at most once, and not after `stop`. Without event daemon a node cannot give up its addresses in
 *    order, so who owns this ends the node.
 */
import { EIO, errnoText } from "../base/errno.ts";
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import type { Result } from "../base/result.ts";
import type { ScriptFiles } from "../platform/types/script_files.ts";
import type { Timer, Timers } from "../platform/types/time.ts";
import type { Turns } from "../transport/turns.ts";
import type { EventReply, EventStatus as EventScripts } from "../wire/event_protocol.ts";
import type { EventArguments, EventName } from "../wire/events.ts";
import {
  connectEvents,
  EVENT_COMPONENT,
  type EventConnection,
  type EventConnector,
} from "./event_connection.ts";
import {
  EVENT_TIMED_OUT,
  type EventFailure,
  type EventRunner,
  type EventStatus,
  type RunningEvent,
  type ScriptRun,
} from "./event_runner.ts";
import { ANSWER_GRACE_MS, EVENTD_START_MS_MAX } from "./limits.ts";
import { scriptFailures, scriptRuns } from "./script_failures.ts";
import { listScripts } from "./scripts/script_directory.ts";

export interface EventdChild {
  readonly pid: number;
  kill(): void;
  /** It reads its configuration again. */
  reconfigure(): void;
}

/** Starts one: it is ready once, or ends by itself. The reason when it cannot be started. */
export type StartEventd = (handlers: {
  ready(): void;
  ended(how: string): void;
}) => EventdChild | string;

export interface EventdEventsOptions {
  readonly start: StartEventd;
  readonly connector: EventConnector;
  readonly socket: string;
  /** Holds a directory of scripts for each component. */
  readonly directory: string;
  readonly files: ScriptFiles;
  readonly turns: Turns;
  readonly timers: Timers;
  readonly log: Logger;
  readonly journal: Journal;
  /** Of the event daemon, which is of the same release. */
  readonly version: string;
  gone(reason: string): void;
}

interface Running {
  readonly event: EventName;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly deadline: Timer;
  done: ((status: EventStatus) => void) | undefined;
}

export class EventdEvents implements EventRunner {
  readonly #options: EventdEventsOptions;
  #state: "idle" | "starting" | "running" | "ended" = "idle";
  #child: EventdChild | undefined;
  #connection: EventConnection | undefined;
  #connecting: Timer | undefined;
  #startLimit: Timer | undefined;
  /** Not answered yet; those that came while it started are sent when it runs. */
  readonly #running = new Set<Running>();

  constructor(options: EventdEventsOptions) {
    this.#options = options;
  }

  get runsScripts(): boolean {
    if (this.#state === "ended") return false;
    const { files, directory } = this.#options;
    const scripts = listScripts(files, `${directory}/${EVENT_COMPONENT}`);
    return scripts.ok && scripts.value.some(({ enabled }) => enabled);
  }

  run<N extends EventName>(
    event: N,
    args: EventArguments[N],
    timeoutMs: number,
    done: (status: EventStatus) => void,
  ): RunningEvent {
    const { timers } = this.#options;
    // Those before it may take their time each.
    const limitMs = timeoutMs * (this.#running.size + 1) + ANSWER_GRACE_MS;
    const running: Running = {
      event,
      args,
      timeoutMs,
      deadline: timers.after(limitMs, () => this.#late(running)),
      done,
    };
    this.#running.add(running);
    if (this.#state === "ended") timers.soon(() => this.#answer(running, EIO));
    else if (this.#state === "running") this.#send(running);
    else if (this.#state === "idle") this.#start();
    return {
      cancel: () => {
        running.done = undefined;
      },
    };
  }

  explain(event: EventName, done: (failure: EventFailure | undefined) => void): void {
    this.#askStatus(event, (status) =>
      done(status === undefined ? undefined : scriptFailures(status)[0]),
    );
  }

  lastRun(event: EventName, done: (scripts: readonly ScriptRun[]) => void): void {
    this.#askStatus(event, (status) => done(status === undefined ? [] : scriptRuns(event, status)));
  }

  #askStatus(event: EventName, done: (status: EventScripts | undefined) => void): void {
    if (this.#connection === undefined) {
      this.#options.timers.soon(() => done(undefined));
      return;
    }
    this.#connection.request({ command: "status", component: EVENT_COMPONENT, event }, (reply) =>
      done(reply.ok && reply.value.command === "status" ? reply.value.status : undefined),
    );
  }

  /** One that starts has read it a moment ago. */
  reconfigure(): void {
    if (this.#state === "running") this.#child?.reconfigure();
  }

  /** The event daemon ends, and what it runs. */
  stop(): void {
    this.#state = "ended";
    for (const { deadline } of this.#running) deadline.cancel();
    this.#running.clear();
    this.#release("it was ended: ctdbd ends");
  }

  #start(): void {
    const { start, timers, log } = this.#options;
    this.#state = "starting";
    log.notice("Starting event daemon");
    const child = start({
      ready: () => this.#connect(),
      ended: (how) => this.#lost(`the event daemon ended (${how})`),
    });
    if (typeof child === "string") {
      timers.soon(() => this.#lost(child));
      return;
    }
    this.#child = child;
    const { journal, version } = this.#options;
    journal.record({ kind: "process_started", process: "eventd", pid: child.pid, version });
    this.#startLimit = timers.after(EVENTD_START_MS_MAX, () =>
      this.#lost(`the event daemon did not start within ${EVENTD_START_MS_MAX / 1000} s`),
    );
  }

  #connect(): void {
    if (this.#state !== "starting" || this.#connecting !== undefined) return;
    const { connector, turns, socket } = this.#options;
    this.#connecting = connectEvents(
      connector,
      turns,
      socket,
      (connection) => {
        if (this.#state !== "starting") {
          if (connection.ok) connection.value.close();
          return;
        }
        if (!connection.ok) {
          const why = errnoText(connection.error);
          return this.#lost(`cannot connect to the event daemon at "${socket}": ${why}`);
        }
        this.#startLimit?.cancel();
        this.#connection = connection.value;
        this.#state = "running";
        for (const running of this.#running) this.#send(running);
      },
      (reason) => this.#lost(`the connection to the event daemon ended: ${reason}`),
    );
  }

  #send(running: Running): void {
    const { event, args, timeoutMs } = running;
    this.#connection?.request(
      {
        command: "run",
        component: EVENT_COMPONENT,
        event,
        args: args.length === 0 ? undefined : args.join(" "),
        timeout: Math.ceil(timeoutMs / 1000),
        flags: 0,
      },
      (reply) => this.#answer(running, statusOf(reply)),
    );
  }

  #late(running: Running): void {
    this.#options.log.error(`The event daemon does not answer to "${running.event}"`);
    this.#answer(running, EVENT_TIMED_OUT);
  }

  #answer(running: Running, status: EventStatus): void {
    if (!this.#running.delete(running)) return;
    running.deadline.cancel();
    running.done?.(status);
  }

  #lost(reason: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#options.log.error(`Eventd went away - exiting: ${reason}`);
    this.#release(reason);
    for (const running of [...this.#running]) this.#answer(running, EIO);
    this.#options.gone(reason);
  }

  #release(how: string): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) {
      this.#options.journal.record({ kind: "process_ended", process: "eventd", pid, how });
    }
    this.#startLimit?.cancel();
    this.#connecting?.cancel();
    this.#connection?.close();
    this.#connection = undefined;
    this.#child?.kill();
    this.#child = undefined;
  }
}

function statusOf(reply: Result<EventReply>): EventStatus {
  return reply.ok ? reply.value.result : EIO;
}
