/**
 * The cluster lock by the votes of the nodes themselves: whoever has the votes of more than half of them holds it, for as
 * long as these count (docs/recovery.md, "A lock by majority").
 *
 * 1. Each attempt has a name of its own: what comes late, of an attempt before, is nobody's vote.
 * 2. An answer counts from the moment at which its round was asked.
 * 3. Whoever comes back after a pause looks at the clock before anything else.
 */
import { assert } from "../../base/assert.ts";
import type { Clock, Random, Timer, Timers } from "../../platform/types/time.ts";
import type { Vote } from "./grantor.ts";
import { RENEW_MS, RETRY_MS_MAX, ROUND_MS } from "./limits.ts";
import { Tally } from "./tally.ts";

export interface QuorumLockHost {
  /** It goes on while the machine sleeps. */
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "after" | "every">;
  readonly random: Random;
  readonly nodes: readonly number[];
  readonly tiebreak: number | undefined;
  /** To every node, this one too; "release" has no answer. */
  ask(kind: "request" | "release", holder: string, round: number): void;
}

export type QuorumAttempt =
  | { readonly kind: "held" }
  | { readonly kind: "contended"; readonly holders: readonly number[] }
  /** Too few have answered. */
  | { readonly kind: "timeout"; readonly answered: number };

/** An attempt that nobody else wins goes on for so long: longer than nodes that have just started are quiet. */
const TAKE_MS = 20_000;
/** Rounds whose answers may still come. */
const ROUNDS_KEPT = 8;

export class QuorumLock {
  readonly #host: QuorumLockHost;
  #state: "idle" | "taking" | "held" = "idle";
  #holder = "";
  #round = 0;
  readonly #askedMs = new Map<number, number>();
  #tally: Tally;
  #answers = new Map<number, Vote>();
  #deadlineMs = 0;
  #timer: Timer | undefined;
  #end: Timer | undefined;
  #answered: (attempt: QuorumAttempt) => void = () => {};
  #lost: (reason: string) => void = () => {};

  constructor(host: QuorumLockHost) {
    this.#host = host;
    this.#tally = new Tally(host.nodes, host.tiebreak);
  }

  /** `lost` is called once, after "held". */
  take(answered: (attempt: QuorumAttempt) => void, lost: (reason: string) => void): void {
    assert(this.#state === "idle", "one attempt at a time");
    this.#state = "taking";
    this.#answered = answered;
    this.#lost = lost;
    this.#deadlineMs = this.#nowMs() + TAKE_MS;
    this.#beginAttempt();
  }

  /** Less than nothing when it is over, or was never held. */
  get leftMs(): number {
    return this.#tally.heldUntilMs - this.#nowMs();
  }
  /** The same, for whoever relies on it: `lost` is called before it says that the lock is over. */
  get checkedLeftMs(): number {
    this.#loseWhenOver();
    return this.leftMs;
  }
  get held(): boolean {
    return this.#state === "held" && this.leftMs > 0;
  }

  /** The answer of a node. */
  heard(pnn: number, holder: string, round: number, vote: Vote): void {
    const askedMs = this.#askedMs.get(round);
    if (holder !== this.#holder || askedMs === undefined || this.#state === "idle") return;
    if (this.#loseWhenOver()) return;
    this.#answers.set(pnn, vote);
    if (vote.kind === "granted") this.#tally.granted(pnn, askedMs);
    else this.#tally.refused(pnn);
    if (this.#state === "taking") this.#judge();
    else this.#watchEnd();
  }

  /** Gives the votes back; nothing is called any more. */
  release(): void {
    if (this.#state !== "idle") this.#giveBack();
    this.#state = "idle";
  }

  #nowMs(): number {
    return this.#host.clock.monotonicMs();
  }

  // --- taking it

  #beginAttempt(): void {
    const { random, nodes, tiebreak } = this.#host;
    this.#holder = `${random.u32()}:${random.u32()}`;
    this.#tally = new Tally(nodes, tiebreak);
    this.#answers = new Map();
    this.#ask();
    const holder = this.#holder;
    this.#timer = this.#host.timers.after(ROUND_MS, () => {
      if (holder === this.#holder) this.#roundEnded();
    });
  }

  #ask(): void {
    this.#round += 1;
    this.#askedMs.set(this.#round, this.#nowMs());
    this.#askedMs.delete(this.#round - ROUNDS_KEPT);
    this.#host.ask("request", this.#holder, this.#round);
  }

  #judge(): void {
    if (this.leftMs > 0) {
      this.#state = "held";
      this.#timer?.cancel();
      this.#timer = this.#host.timers.every(RENEW_MS, () => this.#renew());
      this.#watchEnd();
      this.#answered({ kind: "held" });
      return;
    }
    const holders = this.#otherHolders();
    for (const [holder, nodes] of holders) {
      if (!this.#tally.isMajority(this.#tally.weightOf(nodes))) continue;
      this.#fail({ kind: "contended", holders: [holder] });
      return;
    }
    // Others are trying, too: who keeps votes that are no majority keeps them from all.
    const refused = [...this.#answers].filter(([, { kind }]) => kind !== "granted");
    const left = this.#tally.totalWeight - this.#tally.weightOf(refused.map(([pnn]) => pnn));
    if (!this.#tally.isMajority(left)) this.#roundEnded();
  }

  /** Nodes by the holder to whom they have given their vote. */
  #otherHolders(): ReadonlyMap<number, readonly number[]> {
    const holders = new Map<number, number[]>();
    for (const [pnn, vote] of this.#answers) {
      if (vote.kind !== "taken") continue;
      holders.set(vote.pnn, [...(holders.get(vote.pnn) ?? []), pnn]);
    }
    return holders;
  }

  /** Nobody has a majority yet: the votes go back, and who waits longest comes last. */
  #roundEnded(): void {
    if (this.#state !== "taking") return;
    const { random, timers } = this.#host;
    if (this.#nowMs() >= this.#deadlineMs) {
      const holders = [...this.#otherHolders().keys()];
      const answered = this.#answers.size;
      const enough = this.#tally.isMajority(this.#tally.weightOf(this.#answers.keys()));
      this.#fail(enough ? { kind: "contended", holders } : { kind: "timeout", answered });
      return;
    }
    this.#giveBack();
    this.#timer = timers.after(random.u32() % RETRY_MS_MAX, () => {
      if (this.#state === "taking" && this.#holder === "") this.#beginAttempt();
    });
  }

  #fail(attempt: QuorumAttempt): void {
    this.#giveBack();
    this.#state = "idle";
    this.#answered(attempt);
  }

  #giveBack(): void {
    this.#timer?.cancel();
    this.#end?.cancel();
    this.#tally = new Tally(this.#host.nodes, this.#host.tiebreak);
    this.#host.ask("release", this.#holder, this.#round);
    this.#holder = "";
  }

  // --- holding it

  #renew(): void {
    if (this.#state === "held" && !this.#loseWhenOver()) this.#ask();
  }

  #watchEnd(): void {
    this.#end?.cancel();
    this.#end = this.#host.timers.after(Math.max(1, Math.ceil(this.leftMs)), () => {
      if (!this.#loseWhenOver() && this.#state === "held") this.#watchEnd();
    });
  }

  #loseWhenOver(): boolean {
    if (this.#state !== "held" || this.leftMs > 0) return false;
    this.#state = "idle";
    this.#giveBack();
    this.#lost("it could not be renewed by a majority of the nodes in time");
    return true;
  }
}
