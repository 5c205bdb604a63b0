/**
 * Ends TCP connections of others, each at one end: `dst` of its path. That end is asked by a segment that cannot
 * belong to the connection; its answer tells what it expects, and a reset with that number ends it.
 * For both ends a list has the connection in both directions.
 *
 * Invariants:
 * 1. Only ends that are in the list are reset, and only after a segment of theirs was seen.
 * 2. Each end is asked once before any is asked again; at most ASKED_MAX answers are waited for at a time.
 * 3. After a reset the end is asked again: one that is gone answers with a reset of its own, one that lives (it had
 *    received more meanwhile) with what it expects now, and is reset anew. Who is silent is gone.
 * 4. A connection that begins anew between the same ends is left alone.
 * 5. It ends: each end is asked at most ATTEMPTS_MAX times and reset at most RESETS_MAX times, and nothing is tried
 *    longer than RETRIES_MS_MAX after each was asked once.
 *
 * Must not: wait in place. docs/platform.md, "Raw packets", says what the kernel answers, and how often.
 */
import type { SystemError } from "../../base/errors.ts";
import { done, type Result } from "../../base/result.ts";
import type { RawNetwork, TcpCapture, TcpSegment } from "../../platform/types/raw_network.ts";
import type { Clock, Timer, Timers } from "../../platform/types/time.ts";
import {
  isOwnSegment,
  sendReset,
  sendTickle,
  type TcpPath,
  TICKLE_SEQUENCES,
} from "../packets/tickle.ts";
import { answerFilter } from "./cover.ts";
import { Fifo } from "./fifo.ts";
import {
  ANSWER_MS,
  ASKED_AT_ONCE_MAX,
  ASKED_MAX,
  ATTEMPTS_MAX,
  FULL_NETWORK_PAUSE_MS,
  FULL_NETWORK_PAUSES_MAX,
  RESETS_MAX,
  RETRIES_MS_MAX,
  SILENCES_OF_THE_GONE,
} from "./limits.ts";

export interface KillReport {
  /** Ends that were reset. */
  readonly reset: number;
  /** Ends that said that they know no such connection. */
  readonly absent: number;
  /** Ends that never answered, or went on after every reset. */
  readonly left: number;
  /** Segments that came too fast to be looked at. */
  readonly dropped: number;
  /** The first reason why something could not be sent, when there was one. */
  readonly sendError: SystemError | undefined;
}

export interface KillHost {
  readonly network: RawNetwork;
  readonly timers: Timers;
  readonly clock: Clock;
}

type State =
  /** To be asked. */
  | "listed"
  /** Its answer is waited for. */
  | "asked"
  /** Its silence is waited for. */
  | "reset"
  | "over";

interface Sentenced {
  readonly path: TcpPath;
  readonly name: string;
  state: State;
  attempts: number;
  resets: number;
  /** Since the last reset. */
  silences: number;
  /** The last segment of its, until it is reset for it. */
  heard: TcpSegment | undefined;
  /** When its silence has lasted long enough. */
  dueMs: number;
}

type Outcome = "reset" | "absent" | "left";

interface Wait {
  readonly sentenced: Sentenced;
  readonly dueMs: number;
}

export class KillConnections {
  readonly #host: KillHost;
  readonly #onEnd: (report: KillReport) => void;
  /** By the segments that their ends send. */
  readonly #open = new Map<string, Sentenced>();
  readonly #listed = new Fifo<Sentenced>();
  /** So many of `listed` are there for the first time; they stand in front. */
  #fresh = 0;
  /** In the order of their times. A wait whose end has another time by now is over. */
  readonly #waits = new Fifo<Wait>();
  /** How many are in this state. */
  #asked = 0;
  /** Those of which a segment was seen in this turn. */
  #heard: Sentenced[] = [];
  #deadlineMs = Number.POSITIVE_INFINITY;
  #capture: TcpCapture | undefined;
  #timer: Timer | undefined;
  #turnPlanned = false;
  #ended = false;
  #pauses = 0;
  readonly #counts: Record<Outcome, number> = { reset: 0, absent: 0, left: 0 };
  #sendError: SystemError | undefined;

  /** `onEnd` never runs inside a call. */
  constructor(host: KillHost, onEnd: (report: KillReport) => void) {
    this.#host = host;
    this.#onEnd = onEnd;
  }

  /** Once. An error when nothing can be captured; then nothing was sent, and `onEnd` does not run. */
  start(connections: readonly TcpPath[]): Result<void, SystemError> {
    for (const path of connections) this.#sentence(path);
    if (this.#fresh > 0) {
      const captured = this.#host.network.captureSegments(answerFilter(connections), (segment) =>
        this.#onSegment(segment),
      );
      if (!captured.ok) return captured;
      this.#capture = captured.value;
    }
    this.#planTurn();
    return done;
  }

  #sentence(path: TcpPath): void {
    const name = nameOf(path.dst, path.src);
    if (this.#open.has(name)) return;
    const none = { attempts: 0, resets: 0, silences: 0, dueMs: 0, heard: undefined };
    const sentenced: Sentenced = { path, name, state: "listed", ...none };
    this.#open.set(name, sentenced);
    this.#listed.push(sentenced);
    this.#fresh += 1;
  }

  #planTurn(): void {
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    this.#host.timers.nextTurn(() => {
      this.#turnPlanned = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#ended) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const nowMs = this.#host.clock.monotonicMs();
    this.#endWaits(nowMs);
    const full = this.#askSome(nowMs) === "full";
    if (this.#open.size === 0) this.#end();
    else if (full) this.#pause();
    else if (this.#mayAsk) this.#planTurn();
    else this.#turnAfter((this.#waits.first()?.dueMs ?? nowMs) - nowMs);
  }

  #pause(): void {
    this.#pauses += 1;
    this.#turnAfter(FULL_NETWORK_PAUSE_MS);
  }

  #turnAfter(delayMs: number): void {
    this.#timer = this.#host.timers.after(delayMs, () => this.#turn());
  }

  #end(): void {
    this.#ended = true;
    this.#capture?.close();
    const dropped = this.#capture?.dropped ?? 0;
    this.#onEnd({ ...this.#counts, dropped, sendError: this.#sendError });
  }

  get #mayAsk(): boolean {
    return this.#listed.length > 0 && this.#asked < ASKED_MAX;
  }

  /** "full": the network takes no more now. */
  #askSome(nowMs: number): "full" | "done" {
    for (let i = 0; i < ASKED_AT_ONCE_MAX && this.#mayAsk; i++) {
      const sentenced = this.#listed.first() as Sentenced;
      if (sentenced.state === "listed") {
        if (nowMs >= this.#deadlineMs) this.#finish(sentenced, "left");
        else if (!this.#tickle(sentenced)) return "full";
        else this.#becomeAsked(sentenced, nowMs);
      }
      this.#listed.drop();
      if (this.#fresh === 0) continue;
      this.#fresh -= 1;
      if (this.#fresh === 0) this.#deadlineMs = nowMs + RETRIES_MS_MAX;
    }
    return "done";
  }

  #becomeAsked(sentenced: Sentenced, nowMs: number): void {
    this.#asked += 1;
    sentenced.state = "asked";
    sentenced.attempts += 1;
    this.#wait(sentenced, nowMs);
  }

  #wait(sentenced: Sentenced, nowMs: number): void {
    sentenced.dueMs = nowMs + ANSWER_MS;
    this.#waits.push({ sentenced, dueMs: sentenced.dueMs });
  }

  #tickle({ path, attempts, state }: Sentenced): boolean {
    const other = state === "listed" && attempts % 2 === 1;
    return this.#noteSent(sendTickle(this.#host.network, path, TICKLE_SEQUENCES[other ? 1 : 0]));
  }

  /**
   * False when the network takes no more now. Other failures may pass, and count as attempts; so does this one when
   * there were many: what fills the network may be packets for neighbours that do not answer.
   */
  #noteSent(sent: Result<void, SystemError>): boolean {
    if (sent.ok) return true;
    if (sent.error.code === "EAGAIN" && this.#pauses < FULL_NETWORK_PAUSES_MAX) return false;
    this.#sendError ??= sent.error;
    return true;
  }

  #endWaits(nowMs: number): void {
    for (;;) {
      const wait = this.#waits.first();
      if (wait === undefined || wait.dueMs > nowMs) return;
      this.#waits.drop();
      if (wait.dueMs === wait.sentenced.dueMs) this.#endWait(wait.sentenced, nowMs);
    }
  }

  #endWait(sentenced: Sentenced, nowMs: number): void {
    const { state } = sentenced;
    switch (state) {
      case "asked":
        this.#leaveAsked(sentenced);
        if (sentenced.attempts === ATTEMPTS_MAX) this.#finish(sentenced, "left");
        else this.#becomeListed(sentenced);
        return;
      case "reset":
        sentenced.silences += 1;
        if (sentenced.resets === RESETS_MAX) this.#finish(sentenced, "left");
        else if (sentenced.silences === SILENCES_OF_THE_GONE) this.#finish(sentenced, "reset");
        else this.#waitAgain(sentenced, nowMs);
        return;
      case "listed":
      case "over":
        return;
      default:
        state satisfies never;
    }
  }

  #becomeListed(sentenced: Sentenced): void {
    sentenced.state = "listed";
    this.#listed.push(sentenced);
  }

  #waitAgain(sentenced: Sentenced, nowMs: number): void {
    this.#tickle(sentenced);
    this.#wait(sentenced, nowMs);
  }

  #onSegment(segment: TcpSegment): void {
    if (isOwnSegment(segment)) return;
    const sentenced = this.#open.get(nameOf(segment.src, segment.dst));
    if (sentenced === undefined) return;
    const { flags } = segment;
    const wasReset = sentenced.resets > 0;
    if (flags.rst) this.#finish(sentenced, wasReset ? "reset" : "absent");
    else if (flags.syn && wasReset) this.#finish(sentenced, "reset");
    else if (flags.ack) this.#hear(sentenced, segment);
  }

  /** Of what a busy end sends at the same time only the last number counts. */
  #hear(sentenced: Sentenced, segment: TcpSegment): void {
    if (sentenced.heard === undefined) {
      if (this.#heard.length === 0) this.#host.timers.soon(() => this.#resetHeard());
      this.#heard.push(sentenced);
    }
    sentenced.heard = segment;
  }

  #resetHeard(): void {
    const heard = this.#heard;
    this.#heard = [];
    for (const sentenced of heard) {
      const segment = sentenced.heard;
      sentenced.heard = undefined;
      if (segment !== undefined && sentenced.state !== "over")
        this.#becomeReset(sentenced, segment);
    }
  }

  #becomeReset(sentenced: Sentenced, segment: TcpSegment): void {
    if (sentenced.resets === RESETS_MAX) return;
    const numbers = { seq: segment.ack, ack: segment.seq };
    // Where the network is full, the next answer is waited for.
    if (!this.#noteSent(sendReset(this.#host.network, sentenced.path, numbers))) return;
    this.#leaveAsked(sentenced);
    sentenced.state = "reset";
    sentenced.resets += 1;
    sentenced.silences = 0;
    // Who speaks anyway need not be asked each time.
    if (sentenced.resets === 1) this.#tickle(sentenced);
    this.#wait(sentenced, this.#host.clock.monotonicMs());
  }

  #leaveAsked(sentenced: Sentenced): void {
    if (sentenced.state !== "asked") return;
    this.#asked -= 1;
    if (this.#listed.length > 0) this.#planTurn();
  }

  #finish(sentenced: Sentenced, how: Outcome): void {
    this.#leaveAsked(sentenced);
    sentenced.state = "over";
    this.#open.delete(sentenced.name);
    this.#counts[how] += 1;
    if (this.#open.size === 0) this.#planTurn();
  }
}

/** Of the segments that go from one end to the other. */
function nameOf(src: TcpPath["src"], dst: TcpPath["dst"]): string {
  return `${src.address} ${src.port} ${dst.address} ${dst.port}`;
}
