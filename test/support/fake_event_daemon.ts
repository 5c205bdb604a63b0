/** The commands of the event daemon on children that exist only in the test, in virtual time. */
import { EventCommands } from "../../src/services/scripts/event_commands.ts";
import type { EventReply, EventRequest } from "../../src/wire/event_protocol.ts";
import { type FakeChild, FakeProcesses } from "../recovery/fake_processes.ts";
import { CollectedLog } from "./collected_log.ts";
import { FakeScripts } from "./fake_scripts.ts";
import { FakeWorld } from "./fake_world.ts";

export const EVENTS = "/etc/ctdb/events";

export class FakeEventDaemon {
  readonly world: FakeWorld;
  readonly processes = new FakeProcesses();
  readonly log: CollectedLog;
  readonly files: FakeScripts;
  readonly commands: EventCommands;
  debugScript: string | undefined;
  orphaned = false;

  /** `scripts` of the component "legacy", see FakeScripts. */
  constructor(scripts: readonly string[], world = new FakeWorld()) {
    this.world = world;
    this.files = new FakeScripts(`${EVENTS}/legacy`, scripts);
    const { timers, clock } = world;
    this.log = new CollectedLog(clock, timers);
    this.commands = new EventCommands({
      host: {
        processes: this.processes,
        timers,
        clock,
        log: this.log,
        scriptSaid: (line) => this.log.error(line),
        environment: { A: "b" },
        isOrphaned: () => this.orphaned,
      },
      files: this.files,
      directory: EVENTS,
      debugScript: () => this.debugScript,
    });
  }

  /** The script that was started last. */
  get script(): FakeChild {
    return this.processes.last;
  }

  /** Names and arguments of everything that was started. */
  get started(): string[] {
    return this.processes.children.map(({ options: { argv } }) =>
      argv.join(" ").replace(`${EVENTS}/legacy/`, "").replace(".script", ""),
    );
  }

  /** Results of what was asked, in the order of the replies. */
  readonly results: string[] = [];

  run(event: string, options: { args?: string; timeout?: number; runAll?: boolean } = {}): void {
    const { args, timeout = 30, runAll = false } = options;
    const request = { command: "run", component: "legacy", event, args, timeout } as const;
    this.commands.handle({ ...request, flags: runAll ? 1 : 0 }, ({ result }) => {
      this.results.push(`${event} ${result}`);
    });
  }

  /** The script that runs prints and ends, and what follows begins. */
  end(code: number | undefined, printed = "", signal?: string): void {
    if (printed !== "") this.script.options.onOutput?.(Buffer.from(printed));
    this.script.end(code, signal);
    this.world.settle();
  }

  ask(request: EventRequest): EventReply {
    const replies: EventReply[] = [];
    this.commands.handle(request, (reply) => void replies.push(reply));
    const [reply] = replies;
    if (reply === undefined) throw new Error("there is no answer");
    return reply;
  }

  /** The scripts of the event and their results, or the errno. */
  status(event: string, lastGood = false): string[] | number {
    const reply = this.ask({ command: "status", component: "legacy", event, lastGood });
    if (reply.command !== "status" || reply.status === undefined) return reply.result;
    const { summary, scripts } = reply.status;
    return [`summary ${summary}`, ...scripts.map(({ name, result }) => `${name} ${result}`)];
  }
}
