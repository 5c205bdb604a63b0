/**
 * What clients of a cluster may rely on, as models that are compared with what they see:
 * - a record that is read under its lock holds what was stored last in this generation, a read-only
 *   copy too; one that is read without a lock, what it held at some moment of the read;
 * - messages of one sender arrive in order, none is missing unless a connection on the way ended;
 * - every request ends: in a calm cluster none stays open.
 */
import type { Judge } from "./violation.ts";

/** What was stored in one counter in one generation. */
interface CounterHistory {
  /** How many values were stored; the last ones are kept. */
  stores: number;
  readonly last: number[];
}
const VALUES_KEPT = 64;

/** Values of counters by database, key and generation. */
export class CounterModel {
  readonly #judge: Judge;
  readonly #histories = new Map<string, CounterHistory>();
  /** Reads that were compared with something. */
  readsChecked = 0;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  check(database: string, key: string, generation: number | undefined, value: number): void {
    if (generation === undefined) return;
    const expected = this.#histories.get(`${database}/${key}/${generation}`)?.last.at(-1);
    if (expected === undefined || expected === value) return;
    this.#judge.violated(
      `lost update: ${database} ${key} is ${value}, in the same generation ${generation} ${expected} was stored`,
    );
  }

  /** A read-only copy that is looked at under its lock: nobody may have stored anything else since. */
  checkCopy(database: string, key: string, generation: number | undefined, value: number): void {
    if (generation === undefined) return;
    const expected = this.#histories.get(`${database}/${key}/${generation}`)?.last.at(-1);
    if (expected === undefined) return;
    this.readsChecked += 1;
    if (expected === value) return;
    this.#judge.violated(
      `stale copy: a read-only copy of ${database} ${key} is ${value}, in the same generation ${generation} ${expected} was stored`,
    );
  }

  stored(database: string, key: string, generation: number | undefined, value: number): void {
    if (generation === undefined) return;
    const id = `${database}/${key}/${generation}`;
    let history = this.#histories.get(id);
    if (history === undefined) {
      history = { stores: 0, last: [] };
      this.#histories.set(id, history);
    }
    history.stores += 1;
    history.last.push(value);
    if (history.last.length > VALUES_KEPT) history.last.shift();
  }

  /** For a read without a lock that begins now. */
  storesOf(database: string, key: string, generation: number | undefined): number {
    return this.#histories.get(`${database}/${key}/${generation}`)?.stores ?? 0;
  }

  /** Such a read ends: it saw a value that the counter had at some moment since its begin. */
  checkRead(
    database: string,
    key: string,
    generation: number | undefined,
    storesBefore: number,
    value: number,
  ): void {
    const history = this.#histories.get(`${database}/${key}/${generation}`);
    if (history === undefined || storesBefore === 0) return;
    const first = storesBefore - 1 - (history.stores - history.last.length);
    if (first < 0) return;
    this.readsChecked += 1;
    const possible = history.last.slice(first);
    if (possible.includes(value)) return;
    this.#judge.violated(
      `stale read: ${database} ${key} was read as ${value}, in the same generation ${generation} it was ${possible.join(", ")} meanwhile`,
    );
  }
}

/** A connection of a client: another one has another number. */
export type ConnectionNumber = number;

export class MessageModel {
  readonly #judge: Judge;
  readonly #sent = new Map<string, number>();
  readonly #received = new Map<string, { sequence: number; endings: number }>();
  received = 0;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** The sequence number for the next message. */
  next(from: ConnectionNumber, to: ConnectionNumber): number {
    const key = `${from}>${to}`;
    const sequence = (this.#sent.get(key) ?? 0) + 1;
    this.#sent.set(key, sequence);
    return sequence;
  }

  /**
   * `endings`: how many connections between the two hosts had ended when the message was sent, and
   * now. (Not when the last one arrived: it waits at the receiver's daemon, while its connection
   * ends.)
   */
  arrived(
    from: ConnectionNumber,
    to: ConnectionNumber,
    sequence: number,
    endings: { readonly whenSent: number; readonly now: number },
  ): void {
    this.received += 1;
    const key = `${from}>${to}`;
    const last = this.#received.get(key);
    this.#received.set(key, { sequence, endings: endings.whenSent });
    if (last === undefined) return;
    const what = `message ${sequence} of connection ${from} to ${to}`;
    if (sequence <= last.sequence) {
      this.#judge.violated(`${what} arrives after message ${last.sequence}`);
    }
    if (sequence > last.sequence + 1 && endings.now === last.endings) {
      this.#judge.violated(
        `message lost: ${what} follows message ${last.sequence}, and no connection has ended`,
      );
    }
  }
}

interface OpenRequest {
  readonly what: string;
  readonly sinceMs: number;
  readonly isAlive: () => boolean;
}

/** Requests of clients that have neither been answered nor refused yet. */
export class OpenRequests {
  readonly #judge: Judge;
  readonly #open = new Map<number, OpenRequest>();
  readonly nowMs: () => number;
  #last = 0;
  begun = 0;

  constructor(judge: Judge, nowMs: () => number) {
    this.#judge = judge;
    this.nowMs = nowMs;
  }

  /** A request of a process that has died waits for nothing. */
  async track<T>(
    what: string,
    request: Promise<T>,
    isAlive: () => boolean = () => true,
  ): Promise<T> {
    const id = ++this.#last;
    this.begun += 1;
    this.#open.set(id, { what, sinceMs: this.nowMs(), isAlive });
    try {
      return await request;
    } finally {
      this.#open.delete(id);
    }
  }

  get size(): number {
    for (const [id, { isAlive }] of this.#open) if (!isAlive()) this.#open.delete(id);
    return this.#open.size;
  }

  /** The cluster has been calm since then: what was asked before should have ended long ago. */
  judge(calmSinceMs: number): void {
    for (const { what, sinceMs, isAlive } of this.#open.values()) {
      if (sinceMs > calmSinceMs || !isAlive()) continue;
      const seconds = Math.round((this.nowMs() - sinceMs) / 1000);
      this.#judge.violated(
        `a request was neither answered nor refused: ${what}, asked ${seconds} s ago; ` +
          `the cluster is calm for ${Math.round((this.nowMs() - calmSinceMs) / 1000)} s`,
      );
    }
  }
}
