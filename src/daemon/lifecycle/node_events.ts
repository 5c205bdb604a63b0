/** The events of this node: each has EventScriptTimeout for all of its scripts, and its end is a turn. */
import type {
  EventArguments,
  EventName,
  EventRunner,
  EventStatus,
  RunningEvent,
} from "../../services/event_runner.ts";
import type { Turns } from "../../transport/turns.ts";

export class NodeEvents {
  readonly #runner: EventRunner;
  readonly #turns: Turns;
  readonly #tunable: (name: string) => number;

  constructor(runner: EventRunner, turns: Turns, tunable: (name: string) => number) {
    this.#runner = runner;
    this.#turns = turns;
    this.#tunable = tunable;
  }

  /** False: nothing happens on an event, and nothing needs to wait for one. */
  get runsScripts(): boolean {
    return this.#runner.runsScripts;
  }

  /** `done` as in EventRunner.run(). */
  run<N extends EventName>(
    event: N,
    args: EventArguments[N],
    done: (status: EventStatus) => void,
  ): RunningEvent {
    const timeoutMs = this.#tunable("EventScriptTimeout") * 1000;
    return this.#runner.run(event, args, timeoutMs, (status) =>
      this.#turns.run("event", () => done(status)),
    );
  }
}
