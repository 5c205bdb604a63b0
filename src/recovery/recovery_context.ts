/**
 * What every step of a recovery works with, and the one way in which steps ask nodes: the same
 * control to each of them, with the recovery's deadline, reduced to values by node or the first
 * failure in the order of the nodes.
 */
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ClientFailure, CtdbClient, RequestOptions } from "../client/types.ts";
import type { BanCredits } from "../membership/ban_credits.ts";
import type { Clock, Random, Timers } from "../platform/types/time.ts";
import type { ControlName, ControlReplyOf, ControlRequestOf } from "../wire/controls.ts";
import type { Turnstile } from "./turnstile.ts";

export interface RecoveryHost {
  readonly client: CtdbClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly journal: Journal;
}

export interface RecoveryContext extends RecoveryHost {
  readonly generation: number;
  /** RecoverTimeout. */
  readonly timeoutMs: number;
  readonly pushBufferBytes: number;
  /** The nodes that take part, in the order of the node map. */
  readonly pnns: readonly number[];
  /** Where a message for all of them goes: one broadcast, unless a node is connected that takes no part. */
  readonly toAll: readonly number[];
  /** For a failed attach, a failed freeze, a failed pull and a differing name; not for later steps. */
  readonly credits: BanCredits;
  readonly pulls: Turnstile;
  /** A srvid number that no other stream of this recovery uses. */
  nextStream(): number;
}

/** A step that failed, and where; `pnn` is undefined when it was no single node's failure. */
export interface StepFailure {
  readonly reason: string;
  readonly pnn: number | undefined;
  /** There is no sense in another attempt in this generation. */
  readonly final?: boolean;
}

export type StepResult<T> = Result<T, StepFailure>;

export interface NodeAnswer<T> {
  readonly status: number;
  readonly data: T;
}

export async function askEach<N extends ControlName>(
  host: { readonly client: CtdbClient; readonly timeoutMs: number },
  name: N,
  request: ControlRequestOf<N>,
  pnns: readonly number[],
  options: Pick<RequestOptions, "flags" | "srvid"> = {},
): Promise<StepResult<ReadonlyMap<number, NodeAnswer<ControlReplyOf<N>>>>> {
  const outcomes = await host.client.controlEach(name, request, pnns, {
    ...options,
    timeoutMs: host.timeoutMs,
  });
  const answers = new Map<number, NodeAnswer<ControlReplyOf<N>>>();
  for (const pnn of pnns) {
    const outcome = outcomes.get(pnn);
    if (outcome === undefined) return stepFailure(`${name} on node ${pnn} was not asked`, pnn);
    if (!outcome.ok) return stepFailure(failureText(name, pnn, outcome.error), pnn);
    answers.set(pnn, outcome.value);
  }
  return ok(answers);
}

export function failureText(name: ControlName, pnn: number, failure: ClientFailure): string {
  return `${name} on node ${pnn}: ${failure.kind}: ${failure.reason}`;
}

export function stepFailure(reason: string, pnn?: number): { ok: false; error: StepFailure } {
  return err({ reason, pnn }) as { ok: false; error: StepFailure };
}
