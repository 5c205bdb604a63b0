/**
 * The event daemon of a simulated node, and its scripts: those that move addresses change the kernel's table of their
 * host some time after they begin, `monitor` looks at the cables, the others only take their time. In trouble they fail,
 * are slow, or hang until the event daemon ends them.
 *
 * Invariants (as src/services/scripts/component.ts):
 * 1. One event at a time; a `monitor` gives way to every other event.
 * 2. A script that is ended changes nothing any more; one that runs does its work, also while the event daemon is stopped.
 * 3. None begins when ctdbd is dead.
 */
import {
  EVENT_CANCELLED,
  EVENT_TIMED_OUT,
  type EventFailure,
  type EventRunner,
  type EventStatus,
  type RunningEvent,
  type ScriptRun,
} from "../../src/services/event_runner.ts";
import type { EventArguments, EventName } from "../../src/wire/events.ts";
import { type HostAddresses, PUBLIC_INTERFACES } from "./host_addresses.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";

export interface ScriptTrouble {
  readonly what: "fail" | "hang" | "slow";
  readonly events: readonly EventName[];
}

/** Of a host: what its scripts are like now. */
export class Scripts {
  readonly random: SeededRandom;
  readonly addresses: HostAddresses;
  /** With one interface down the node is healthy all the same. */
  readonly partiallyOnline: boolean;
  trouble: ScriptTrouble | undefined;
  /** Scripts that began in trouble and still run. */
  troubled = 0;
  /** Told of what ctdbd asks to be done with an address, and of what came of it unless it failed. */
  onEvent: (event: MoveEvent, address: string, what: MoveProgress) => void = () => {};
  /** Tells ctdbd, as `ctdb setifacelink` does; whether that succeeded. */
  tellLink: (interfaceName: string, up: boolean) => Promise<boolean> = async () => false;

  constructor(random: SeededRandom, addresses: HostAddresses, partiallyOnline: boolean) {
    this.random = random;
    this.addresses = addresses;
    this.partiallyOnline = partiallyOnline;
  }
}

type MoveEvent = "takeip" | "releaseip" | "updateip";
type MoveProgress = "asked" | "succeeded" | "hung";

const ENOEXEC = 8;
const LOCAL_DELAY_MS = 0.05;
const SLOW_MIN_MS = 2000;
const SLOW_MAX_MS = 12_000;
/** Of them all: a script that moves an address, and one that does not. */
const MOVE_MS = [15, 400] as const;
const OTHER_MS = [2, 60] as const;

interface Waiting {
  readonly event: EventName;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly done: (status: EventStatus) => void;
}

interface Running extends Waiting {
  readonly timers: { cancel(): void }[];
  readonly inTrouble: boolean;
}

export class SimEvents implements EventRunner {
  readonly runsScripts = true;
  readonly #scripts: Scripts;
  readonly #eventd: SimProcess;
  readonly #children: SimProcess;
  readonly #ctdbd: SimProcess;
  readonly #queue: Waiting[] = [];
  readonly #told = new Map<string, boolean>();
  #current: Running | undefined;
  #closed = false;

  /** `children`: what the scripts are, as one process. */
  constructor(scripts: Scripts, eventd: SimProcess, children: SimProcess, ctdbd: SimProcess) {
    this.#scripts = scripts;
    this.#eventd = eventd;
    this.#children = children;
    this.#ctdbd = ctdbd;
    eventd.onDeath(() => this.close());
  }

  run<N extends EventName>(
    event: N,
    args: EventArguments[N],
    timeoutMs: number,
    done: (status: EventStatus) => void,
  ): RunningEvent {
    let cancelled = false;
    const answered = (status: EventStatus) => {
      if (!cancelled) done(status);
    };
    const answer = (status: EventStatus) =>
      this.#ctdbd.timers.after(LOCAL_DELAY_MS, () => {
        if (status === 0) this.#tellChecker(event, args, "succeeded");
        else if (status === EVENT_TIMED_OUT) this.#tellChecker(event, args, "hung");
        answered(status);
      });
    this.#tellChecker(event, args, "asked");
    this.#eventd.timers.after(LOCAL_DELAY_MS, () =>
      this.#begin({ event, args, timeoutMs, done: answer }),
    );
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  explain(_event: EventName, done: (failure: EventFailure | undefined) => void): void {
    this.#ctdbd.timers.after(LOCAL_DELAY_MS, () => done(undefined));
  }

  lastRun(_event: EventName, done: (scripts: readonly ScriptRun[]) => void): void {
    this.#ctdbd.timers.after(LOCAL_DELAY_MS, () => done([]));
  }

  /** The scripts that run are killed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.length = 0;
    this.#stop();
    this.#children.kill();
  }

  #begin(waiting: Waiting): void {
    if (this.#closed) return;
    if (this.#current?.event === "monitor") {
      const { done } = this.#current;
      this.#stop();
      done(EVENT_CANCELLED);
    } else if (this.#current !== undefined && waiting.event === "monitor") {
      waiting.done(EVENT_CANCELLED);
      return;
    }
    this.#queue.push(waiting);
    this.#next();
  }

  #next(): void {
    if (this.#current !== undefined || !this.#ctdbd.alive) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return;
    const { trouble, random } = this.#scripts;
    const mine = trouble?.events.includes(waiting.event) === true ? trouble.what : undefined;
    const running: Running = { ...waiting, timers: [], inTrouble: mine !== undefined };
    this.#current = running;
    if (running.inTrouble) this.#scripts.troubled += 1;
    const [low, high] = isMove(waiting.event) ? MOVE_MS : OTHER_MS;
    const tookMs = random.between(low, high);
    const durationMs = mine === "slow" ? random.between(SLOW_MIN_MS, SLOW_MAX_MS) : tookMs;
    const after = (process: SimProcess, ms: number, action: () => void) =>
      running.timers.push(process.timers.after(ms, action));
    const effectMs = durationMs * random.between(0.2, 1);
    // One that fails or hangs may have done its work before.
    const works = mine === undefined || mine === "slow" || random.chance(0.5);
    let status = mine === "fail" ? ENOEXEC : 0;
    if (works) {
      after(this.#children, effectMs, () => {
        status = Math.max(status, this.#work(running));
      });
    }
    if (mine !== "hang") after(this.#eventd, durationMs, () => this.#end(running, status));
    after(this.#eventd, waiting.timeoutMs, () => this.#end(running, EVENT_TIMED_OUT));
  }

  #end(running: Running, status: EventStatus): void {
    if (this.#current !== running) return;
    this.#stop();
    running.done(status);
    this.#next();
  }

  #stop(): void {
    for (const timer of this.#current?.timers ?? []) timer.cancel();
    if (this.#current?.inTrouble === true) this.#scripts.troubled -= 1;
    this.#current = undefined;
  }

  #work({ event, args }: Running): EventStatus {
    const { addresses } = this.#scripts;
    const [first = "", second = "", third = ""] = args;
    switch (event) {
      case "init":
        addresses.clear();
        return 0;
      case "takeip":
        addresses.add(second, first);
        return 0;
      case "releaseip":
        addresses.remove(second);
        return 0;
      case "updateip":
        addresses.add(third, second);
        return 0;
      case "monitor":
        return this.#monitor();
      default:
        return 0;
    }
  }

  #tellChecker(event: EventName, args: readonly string[], what: MoveProgress): void {
    if (isMove(event)) this.#scripts.onEvent(event, args[event === "updateip" ? 2 : 1] ?? "", what);
  }

  #monitor(): EventStatus {
    const { addresses, partiallyOnline } = this.#scripts;
    let down = 0;
    for (const name of PUBLIC_INTERFACES) {
      const up = addresses.hasLink(name);
      if (!up) down += 1;
      // ctdbd takes links for up until it hears otherwise.
      if ((this.#told.get(name) ?? true) !== up) void this.#tell(name, up);
    }
    const healthy = down === 0 || (partiallyOnline && down < PUBLIC_INTERFACES.length);
    return healthy ? 0 : ENOEXEC;
  }

  async #tell(name: string, up: boolean): Promise<void> {
    if (await this.#scripts.tellLink(name, up)) this.#told.set(name, up);
  }
}

function isMove(event: EventName): event is MoveEvent {
  return event === "takeip" || event === "releaseip" || event === "updateip";
}
