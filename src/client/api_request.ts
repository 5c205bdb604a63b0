/**
 * Asks the ctdb-admind of any node over messages (wire/api_messages.ts): the tool and other nodes' ctdb-admind need no
 * port and no ssh.
 *
 * Invariants:
 * 1. A question ends: in the answer as it was sent, or in a typed failure before its deadline.
 * 2. Only the node that was asked answers a question: parts from others are dropped. What comes is counted before it is
 *    kept, so that no answer grows beyond API_ANSWER_CHARACTERS_MAX.
 * 3. A node is sent a question only after it has said that somebody listens there: another one would drop it, and the
 *    asker would wait for nothing.
 */
import { err, ok, type Result } from "../base/result.ts";
import { type U64, u64 } from "../base/u64.ts";
import type { Clock, Random, Timer, Timers } from "../platform/types/time.ts";
import {
  API_ANSWER_CHARACTERS_MAX,
  type ApiAnswerPart,
  decodeApiAnswerPart,
  encodeApiRequest,
} from "../wire/api_messages.ts";
import { decodeExact, u32Codec } from "../wire/codec.ts";
import { SRVID } from "../wire/constants.ts";
import { PING_LISTENERS } from "../wire/controls.ts";
import type { ClientFailure, CtdbClient } from "./types.ts";

export interface ApiAnswer {
  readonly node: number;
  /** Of HTTP. */
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  readonly clock: ClockOffset;
}

/** What the clock of the node that answered is ahead of ours, and how far that may be wrong either way. */
export interface ClockOffset {
  readonly aheadUs: number;
  readonly errorUs: number;
}

export interface ApiFailure {
  readonly kind: /** Nobody listens there: no ctdb-admind, or a node that is none of ours. */
    | "no journal"
    /** The node cannot be asked: ctdbd refuses to send there, or the connection to ours has ended. */
    | "unreachable"
    | "timeout"
    /** What came is no answer. */
    | "malformed";
  readonly reason: string;
}

export type ApiOutcome = Result<ApiAnswer, ApiFailure>;

type AskingClient = Pick<
  CtdbClient,
  "control" | "registerSrvid" | "sendMessage" | "connected" | "onDisconnect"
>;

export interface ApiRequestsParts {
  readonly client: AskingClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

interface Waiting {
  readonly pnn: number;
  readonly sentUs: number;
  readonly sentMonotonicMs: number;
  readonly timer: Timer;
  readonly texts: string[];
  characters: number;
  first: ApiAnswerPart | undefined;
  clock: ClockOffset | undefined;
  readonly end: (outcome: ApiOutcome) => void;
}

export class ApiRequests {
  readonly #d: ApiRequestsParts;
  readonly #answer: U64;
  readonly #waiting = new Map<number, Waiting>();
  #lastId: number;
  #stopListening: () => void = () => {};

  private constructor(parts: ApiRequestsParts) {
    this.#d = parts;
    // Others of this node ask, too: who gets which answer is told by the low bits, and by the number of the question.
    this.#answer = u64(SRVID.OUR_ANSWERS.hi, parts.random.u32());
    this.#lastId = parts.random.u32();
  }

  static async open(parts: ApiRequestsParts): Promise<Result<ApiRequests, ClientFailure>> {
    const requests = new ApiRequests(parts);
    const listening = await parts.client.registerSrvid(requests.#answer, (data, srcnode) =>
      requests.#receive(data, srcnode),
    );
    if (!listening.ok) return listening;
    requests.#stopListening = listening.value.remove;
    parts.client.onDisconnect((reason) => requests.#endAll(reason));
    return ok(requests);
  }

  /** `path`: path and query, `/api/v1/…`. The limit is for all of it. */
  async ask(pnn: number, path: string, timeoutMs: number): Promise<ApiOutcome> {
    const { clock } = this.#d;
    const startMs = clock.monotonicMs();
    const listens = await this.#expectListener(pnn, timeoutMs);
    if (!listens.ok) return listens;
    const leftMs = timeoutMs - (clock.monotonicMs() - startMs);
    return new Promise((resolve) => this.#send(pnn, path, leftMs, resolve));
  }

  /** What is still asked fails. */
  close(): void {
    this.#stopListening();
    this.#endAll("the asker ends");
  }

  async #expectListener(pnn: number, timeoutMs: number): Promise<Result<void, ApiFailure>> {
    const options = { pnn, timeoutMs, flags: PING_LISTENERS, srvid: SRVID.API_REQUEST };
    const answer = await this.#d.client.control("PING", undefined, options);
    if (!answer.ok) return err(failureOf(pnn, answer.error));
    const { data } = answer.value;
    const count = decodeExact(u32Codec, data);
    if (count.ok && count.value > 0) return ok(undefined);
    const why = count.ok
      ? "ctdb-admind does not run there"
      : "its ctdbd is none of ours, or an older one";
    return err({ kind: "no journal", reason: `no journal on node ${pnn}: ${why}` });
  }

  #send(pnn: number, path: string, timeoutMs: number, end: (outcome: ApiOutcome) => void): void {
    const { client, clock, timers } = this.#d;
    if (!client.connected) {
      end(err(unreachable(pnn, "the connection to ctdbd has ended")));
      return;
    }
    this.#lastId = (this.#lastId + 1) % 2 ** 32;
    const id = this.#lastId;
    const timer = timers.after(timeoutMs, () => this.#end(id, err(late(pnn))));
    this.#waiting.set(id, {
      pnn,
      sentUs: microseconds(clock),
      sentMonotonicMs: clock.monotonicMs(),
      timer,
      texts: [],
      characters: 0,
      first: undefined,
      clock: undefined,
      end,
    });
    client.sendMessage(
      pnn,
      SRVID.API_REQUEST,
      encodeApiRequest({ id, answer: this.#answer, path }),
    );
  }

  #receive(data: Uint8Array, srcnode: number): void {
    const part = decodeApiAnswerPart(data);
    // Whose it was is not known; that question ends by its deadline.
    if (!part.ok) return;
    const { id } = part.value;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || waiting.pnn !== srcnode) return;
    const problem = this.#keep(waiting, part.value);
    if (problem !== undefined) {
      const reason = `node ${srcnode} has sent an answer that is none: ${problem}`;
      this.#end(id, err({ kind: "malformed", reason }));
      return;
    }
    const { first, clock, texts } = waiting;
    if (first === undefined || clock === undefined || texts.length < first.parts) return;
    const { status, content_type: contentType } = first;
    this.#end(id, ok({ node: srcnode, status, contentType, text: texts.join(""), clock }));
  }

  /** Why the part cannot be one of this answer. */
  #keep(waiting: Waiting, part: ApiAnswerPart): string | undefined {
    const { texts } = waiting;
    if (part.part !== texts.length) return `expected part ${texts.length}, got ${part.part}`;
    if (waiting.first === undefined) {
      waiting.first = part;
      waiting.clock = this.#clockOffset(waiting, part);
    } else if (part.parts !== waiting.first.parts || part.status !== waiting.first.status) {
      return `part ${part.part} does not belong to part 0`;
    }
    waiting.characters += part.text.length;
    if (waiting.characters > API_ANSWER_CHARACTERS_MAX) {
      return `expected at most ${API_ANSWER_CHARACTERS_MAX} characters`;
    }
    texts.push(part.text);
    return undefined;
  }

  /**
   * As NTP does it: the way there and back takes what is left of our time after theirs, and either half of it is between
   * nothing and all of that. Our own clock may jump meanwhile: the monotonic one says how long it took.
   */
  #clockOffset({ sentUs, sentMonotonicMs }: Waiting, part: ApiAnswerPart): ClockOffset {
    const passedUs = (this.#d.clock.monotonicMs() - sentMonotonicMs) * 1000;
    const theirsUs = part.sent_us - part.received_us;
    const wayUs = Math.max(0, passedUs - Math.max(0, theirsUs));
    const aheadUs = Math.round(part.received_us - (sentUs + wayUs / 2));
    return { aheadUs, errorUs: Math.ceil(wayUs / 2) };
  }

  #end(id: number, outcome: ApiOutcome): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    waiting.end(outcome);
  }

  #endAll(reason: string): void {
    for (const [id, { pnn }] of [...this.#waiting]) this.#end(id, err(unreachable(pnn, reason)));
  }
}

function microseconds(clock: Clock): number {
  const { sec, usec } = clock.wallTime();
  return sec * 1_000_000 + usec;
}

function late(pnn: number): ApiFailure {
  return { kind: "timeout", reason: `node ${pnn} did not answer in time` };
}

function unreachable(pnn: number, reason: string): ApiFailure {
  return { kind: "unreachable", reason: `node ${pnn} cannot be asked: ${reason}` };
}

function failureOf(pnn: number, { kind, reason }: ClientFailure): ApiFailure {
  if (kind === "timeout") return late(pnn);
  return unreachable(pnn, reason);
}
