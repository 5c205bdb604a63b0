/**
 * Takeover runs from recoverd's side: who asked for one, when one may run, and who is told.
 *
 * Invariants:
 * 1. One run at a time. Requests that are there when a run starts are answered by its end; later
 *    ones wait for the next, because they may be about changes that this run has not seen.
 * 2. A cancelled run answers nobody; its requests wait for the next run, or go to the next leader, who may begin at once.
 */
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import type { Result } from "../base/result.ts";
import { type U64, U64_ZERO, u64Equal } from "../base/u64.ts";
import type { CtdbClient } from "../client/types.ts";
import type { Clock, Timers } from "../platform/types/time.ts";
import { encode, i32Codec } from "../wire/codec.ts";
import { SRVID } from "../wire/constants.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import { disableMessage, srvidMessage } from "../wire/structs/cluster.ts";
import { OperationGate } from "./operation_gate.ts";

/** Others must not ask for a run while one is under way: for this long, should we die in the middle. */
const DISABLE_OTHERS_SEC = 60;
/** Of what is told of why a run is made. */
const REASONS_MAX = 4;
/** Requests kept; more come only from something that has gone wild. */
const REQUESTS_MAX = 1000;

/** Where the answer goes; srvid 0 wants none. */
export interface ReplyAddress {
  readonly pnn: number;
  readonly srvid: U64;
}

export interface TakeoverRequest {
  readonly connected: readonly number[];
  /** Nodes that should get addresses even if nothing is unbalanced. */
  readonly rebalance: readonly number[];
  /** TakeoverTimeout. */
  readonly timeoutMs: number;
}

/** What a run does; `done` is not called after `cancel`. */
export interface TakeoverHelper {
  start(request: TakeoverRequest, done: (outcome: Result<void>) => void): { cancel(): void };
}

export interface TakeoverRunsHost {
  readonly client: CtdbClient;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly log: Logger;
  readonly journal: Journal;
  readonly helper: TakeoverHelper;
  /** Who may still have addresses that a run now would give to another host, in words. */
  awaited(): string | undefined;
}

interface CurrentRun {
  /** Who was told that runs are disabled. */
  readonly connected: readonly number[];
  readonly requests: ReplyAddress[];
  readonly startMs: number;
  readonly run: { cancel(): void };
}

export class TakeoverRuns {
  readonly gate: OperationGate;
  readonly #client: CtdbClient;
  readonly #log: Logger;
  readonly #host: TakeoverRunsHost;
  #requests: ReplyAddress[] = [];
  #rebalance: number[] = [];
  /** The last run failed, or somebody here asks for one. */
  #wanted = false;
  /** Why the next one is made. */
  readonly #reasons = new Set<string>();
  #current: CurrentRun | undefined;

  constructor(host: TakeoverRunsHost) {
    const { client, timers, log } = host;
    this.#host = host;
    this.#client = client;
    this.#log = log;
    this.gate = new OperationGate(timers, (state, seconds) => {
      if (state === "disabled") log.notice(`Disabling takeover runs for ${seconds} seconds`);
      else log.notice(`Reenabling takeover runs${state === "expired" ? " after timeout" : ""}`);
    });
  }

  get wanted(): boolean {
    return this.#wanted || this.#requests.length > 0;
  }
  get running(): boolean {
    return this.#current !== undefined;
  }

  request(from: ReplyAddress): void {
    if (this.#requests.length >= REQUESTS_MAX) this.#reply(from, -1);
    else this.#requests.push(from);
    this.#because(`node ${from.pnn} asks for it`);
  }

  want(reason: string): void {
    this.#wanted = true;
    this.#because(reason);
  }

  #because(reason: string): void {
    if (this.#reasons.size < REASONS_MAX) this.#reasons.add(reason);
  }

  addRebalance(pnn: number): void {
    if (!this.#rebalance.includes(pnn)) this.#rebalance.push(pnn);
  }

  /** Another node leads: what waits here is for it, and what a recovery wanted is not ours. */
  handOver(leader: number): void {
    for (const from of this.#requests) {
      this.#client.sendMessage(leader, SRVID.TAKEOVER_RUN, encode(srvidMessage, from));
    }
    this.#requests = [];
    this.#rebalance = [];
    this.#wanted = false;
    this.#reasons.clear();
  }

  /** `done` gets false at once when a run cannot begin. `reason`: beside those of requests. */
  start(
    plan: {
      readonly connected: readonly number[];
      readonly timeoutMs: number;
      readonly reason?: string;
    },
    done: (succeeded: boolean) => void,
  ): void {
    const { connected, timeoutMs, reason } = plan;
    if (reason !== undefined) this.#because(reason);
    const obstacle =
      this.running || this.gate.disabled ? "takeover runs are disabled" : this.#host.awaited();
    if (obstacle !== undefined) {
      this.#log.notice(`Unable to begin - ${obstacle}`);
      this.#wanted = true;
      done(false);
      return;
    }
    this.#log.notice("Takeover run starting");
    const { journal, clock, helper } = this.#host;
    const startMs = clock.monotonicMs();
    journal.record({ kind: "takeover_started", reason: [...this.#reasons].join("; ") });
    this.#reasons.clear();
    this.gate.inProgress = true;
    this.#wanted = false;
    this.#disableOthers(connected, DISABLE_OTHERS_SEC);
    const requests = this.#requests;
    this.#requests = [];
    const rebalance = this.#rebalance;
    const run = helper.start({ connected, rebalance, timeoutMs }, (outcome) => {
      const succeeded = outcome.ok;
      this.#current = undefined;
      this.#ended(startMs, outcome.ok ? undefined : outcome.error);
      this.gate.inProgress = false;
      this.#wanted = !succeeded;
      if (!succeeded) this.#because("the one before has failed");
      // Nodes that were added meanwhile wait for the next run.
      if (succeeded) this.#rebalance = this.#rebalance.filter((pnn) => !rebalance.includes(pnn));
      this.#disableOthers(connected, 0);
      for (const from of requests) this.#reply(from, succeeded ? this.#client.pnn : -1);
      this.#log.notice(`Takeover run ${succeeded ? "completed successfully" : "unsuccessful"}`);
      done(succeeded);
    });
    this.#current = { connected, requests, startMs, run };
  }

  cancel(reason: string): void {
    const current = this.#current;
    if (current === undefined) return;
    current.run.cancel();
    this.#current = undefined;
    this.gate.inProgress = false;
    this.#disableOthers(current.connected, 0);
    this.#requests.unshift(...current.requests);
    this.want(`the one before was given up: ${reason}`);
    this.#ended(current.startMs, `it was given up: ${reason}`);
  }

  #ended(startMs: number, failure: string | undefined): void {
    const { journal, clock } = this.#host;
    const durationMs = clock.monotonicMs() - startMs;
    journal.record({
      kind: "takeover_ended",
      succeeded: failure === undefined,
      reason: failure ?? null,
      duration_ms: durationMs,
    });
  }

  #disableOthers(connected: readonly number[], timeout: number): void {
    const message = encode(disableMessage, { pnn: UNKNOWN_PNN, srvid: U64_ZERO, timeout });
    for (const pnn of connected) {
      if (pnn === this.#client.pnn) continue;
      this.#client.sendMessage(pnn, SRVID.DISABLE_TAKEOVER_RUNS, message);
    }
  }

  #reply(to: ReplyAddress, result: number): void {
    if (u64Equal(to.srvid, U64_ZERO)) return;
    this.#client.sendMessage(to.pnn, to.srvid, encode(i32Codec, result));
  }
}
