/**
 * The commands of the event daemon, as requests in and replies out; the components come into being when they are first
 * named (docs/protocol.md, "Event protocol").
 */
import { EINVAL, ENOENT, ENOMSG } from "../../base/errno.ts";
import type { ScriptFiles } from "../../platform/types/script_files.ts";
import type {
  EventReply,
  EventRequest,
  EventRun,
  EventScript,
  EventStatus,
} from "../../wire/event_protocol.ts";
import { Component } from "./component.ts";
import type { RunHost, RunOutcome } from "./event_run.ts";
import { HungScripts } from "./hung_scripts.ts";
import { isComponentName, setScriptEnabled } from "./script_directory.ts";

/** Flag of a run: go on after a script that failed. */
const RUN_ALL = 1;

export interface EventCommandsOptions {
  readonly host: RunHost;
  readonly files: ScriptFiles;
  /** Holds a directory for each component. */
  readonly directory: string;
  /** Path of the script that looks at scripts that hang. */
  debugScript(): string | undefined;
}

export class EventCommands {
  readonly #options: EventCommandsOptions;
  readonly #hung: HungScripts;
  readonly #components = new Map<string, Component>();

  constructor(options: EventCommandsOptions) {
    this.#options = options;
    this.#hung = new HungScripts(options.host, () => options.debugScript());
  }

  /** `reply` once, inside the call or later. */
  handle(request: EventRequest, reply: (reply: EventReply) => void): void {
    switch (request.command) {
      case "run":
        this.#run(request, (result) => reply({ command: "run", result }));
        return;
      case "status":
        reply(this.#status(request.component, request.event, request.lastGood === true));
        return;
      case "script":
        reply({ command: "script", result: this.#setEnabled(request) });
        return;
    }
  }

  /** Nothing that was started here stays. */
  close(): void {
    for (const component of this.#components.values()) component.close();
    this.#hung.close();
  }

  #run({ component, event, args, timeout, flags }: EventRun, done: (result: number) => void): void {
    const found = this.#component(component);
    if (typeof found === "number" || event === undefined) {
      done(typeof found === "number" ? found : EINVAL);
      return;
    }
    const words = (args ?? "").split(" ").filter((word) => word !== "");
    const runAll = (flags & RUN_ALL) !== 0;
    found.run({ event, args: words, timeoutMs: timeout * 1000, runAll }, done);
  }

  #status(component: string | undefined, event: string | undefined, lastGood: boolean): EventReply {
    const found = this.#component(component);
    if (typeof found === "number") return { command: "status", result: found, status: undefined };
    const outcome =
      event === undefined ? EINVAL : found.results(event, lastGood ? "last good" : "last");
    if (outcome === EINVAL) return { command: "status", result: EINVAL, status: undefined };
    return { command: "status", result: 0, status: statusOf(outcome) };
  }

  #setEnabled({ component, script, action }: EventScript): number {
    const found = this.#component(component);
    if (typeof found === "number") return found;
    if (script === undefined) return EINVAL;
    const directory = this.#directoryOf(component ?? "");
    return setScriptEnabled(this.#options.files, directory, script, action === "enable");
  }

  /** An errno when there is no such component. */
  #component(name: string | undefined): Component | number {
    if (name === undefined) return EINVAL;
    const known = this.#components.get(name);
    if (known !== undefined) return known;
    const { files, host } = this.#options;
    const directory = this.#directoryOf(name);
    if (!isComponentName(name) || !files.isDirectory(directory)) return ENOENT;
    const component = new Component(host, files, directory, this.#hung);
    this.#components.set(name, component);
    return component;
  }

  #directoryOf(component: string): string {
    return `${this.#options.directory}/${component}`;
  }
}

/** Scripts that have never run are left out: older tools show them as failed, and newer ones skip them. */
function statusOf({ summary, scripts }: RunOutcome): EventStatus {
  return { summary, scripts: scripts.filter(({ result }) => result !== -ENOMSG) };
}
