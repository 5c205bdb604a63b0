/**
 * One recovery as recoverd sees it: push everybody's flags, let the helper recover the databases,
 * run a takeover, tell the clients.
 *
 * Invariants:
 * 1. The states go flags → databases → takeover → ended, and may end from each of them.
 * 2. `ended` is called once; not after `cancel`, which stops the helper.
 */
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import type { Result } from "../base/result.ts";
import type { CtdbClient } from "../client/types.ts";
import type { Clock } from "../platform/types/time.ts";
import { EMPTY } from "../wire/codec.ts";
import { NODE_FLAGS_INACTIVE, SRVID } from "../wire/constants.ts";
import { BROADCAST_CONNECTED } from "../wire/packet.ts";
import type { WantedRecovery } from "./decide.ts";
import { connectedNodes } from "./snapshot.ts";
import type { TakeoverRuns } from "./takeover_runs.ts";

/** Recovers the databases apart from recoverd; `done` is not called after `cancel`. */
export interface RecoveryHelper {
  start(generation: number, done: (outcome: Result<void>) => void): { cancel(): void };
}

export interface RecoveryRunHost {
  readonly client: CtdbClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal: Journal;
  readonly helper: RecoveryHelper;
  readonly takeoverRuns: TakeoverRuns;
}

export interface RecoveryPlan extends Pick<WantedRecovery, "nodes" | "stale"> {
  readonly generation: number;
  readonly timeoutMs: number;
  readonly takeoverTimeoutMs: number;
}

export class RecoveryRun {
  readonly startMs: number;
  readonly #host: RecoveryRunHost;
  readonly #plan: RecoveryPlan;
  readonly #ended: (outcome: Result<void>) => void;
  #state: "flags" | "databases" | "takeover" | "ended" = "flags";
  #helper: { cancel(): void } | undefined;
  #stepMs: number;

  constructor(host: RecoveryRunHost, plan: RecoveryPlan, ended: (outcome: Result<void>) => void) {
    this.#host = host;
    this.#plan = plan;
    this.#ended = ended;
    this.startMs = host.clock.monotonicMs();
    this.#stepMs = this.startMs;
    this.#pushFlags();
  }

  cancel(reason: string): void {
    if (this.#state === "takeover") this.#host.takeoverRuns.cancel(reason);
    this.#helper?.cancel();
    this.#state = "ended";
  }

  /** All nodes must have the flags that we decide by. Most have them. */
  #pushFlags(): void {
    const { client, log } = this.#host;
    const { stale, timeoutMs } = this.#plan;
    const pushes = stale.map(async ({ pnn, flags, at }) => {
      const change = { pnn, new_flags: flags, old_flags: flags };
      const outcomes = await client.controlEach("MODIFY_FLAGS", change, at, { timeoutMs });
      for (const [target, outcome] of outcomes) {
        if (outcome.ok) continue;
        const problem = `flags of node ${pnn} on node ${target}: ${outcome.error.reason}`;
        if ((flags & NODE_FLAGS_INACTIVE) === 0) return problem;
        log.warning(`Cannot update ${problem}`);
      }
      return undefined;
    });
    Promise.all(pushes).then((problems) => {
      if (this.#state !== "flags") return;
      const problem = problems.find((text) => text !== undefined);
      if (problem !== undefined) this.#end({ ok: false, error: `Cannot update ${problem}` });
      else this.#recoverDatabases();
    });
  }

  #recoverDatabases(): void {
    this.#stepEnded("flags");
    this.#state = "databases";
    this.#host.log.notice("Recovery - updated flags");
    this.#helper = this.#host.helper.start(this.#plan.generation, (outcome) => {
      if (this.#state !== "databases") return;
      this.#helper = undefined;
      if (outcome.ok) this.#takeOver();
      else this.#end(outcome);
    });
  }

  #takeOver(): void {
    this.#stepEnded("databases");
    this.#state = "takeover";
    const { client, takeoverRuns } = this.#host;
    const { nodes, takeoverTimeoutMs } = this.#plan;
    // A run that fails is repeated by the main loop; the databases are recovered all the same.
    const connected = connectedNodes(nodes);
    const reason = "the databases were recovered";
    takeoverRuns.start({ connected, timeoutMs: takeoverTimeoutMs, reason }, () => {
      if (this.#state !== "takeover") return;
      this.#stepEnded("takeover");
      client.sendMessage(BROADCAST_CONNECTED, SRVID.RECONFIGURE, EMPTY);
      this.#end({ ok: true, value: undefined });
    });
  }

  #stepEnded(step: string): void {
    const { clock, journal } = this.#host;
    const nowMs = clock.monotonicMs();
    const { generation } = this.#plan;
    journal.record({ kind: "recovery_step", generation, step, duration_ms: nowMs - this.#stepMs });
    this.#stepMs = nowMs;
  }

  #end(outcome: Result<void>): void {
    this.#state = "ended";
    this.#ended(outcome);
  }
}
