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
import type { ScratchMemory } from "../platform/types/scratch.ts";
import type { Clock, Random, Timers } from "../platform/types/time.ts";
import type { ControlName, ControlReplyOf, ControlRequestOf } from "../wire/controls.ts";
import type { SlabMemory } from "./slab_memory.ts";
import type { Turnstile } from "./turnstile.ts";

export interface RecoveryHost {
  /** For records that memory should not hold; undefined: it holds all. */
  readonly scratch?: ScratchMemory | undefined;
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
  /** Generation of the last recovery that anybody made, by what all nodes say; undefined: nobody can tell. */
  readonly unbroken: number | undefined;
  /** Where a message for all of them goes: one broadcast, unless a node is connected that takes no part. */
  readonly toAll: readonly number[];
  /** For a failed attach, a failed freeze, a failed pull and a differing name; not for later steps. */
  readonly credits: BanCredits;
  /** For a later step that failed on one node while all others succeeded. */
  readonly failedAlone: BanCredits;
  readonly pulls: Turnstile;
  readonly memory: SlabMemory;
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

type Answers<N extends ControlName> = ReadonlyMap<number, NodeAnswer<ControlReplyOf<N>>>;

export async function askEach<N extends ControlName>(
  host: { readonly client: CtdbClient; readonly timeoutMs: number },
  name: N,
  request: ControlRequestOf<N>,
  pnns: readonly number[],
  options: Pick<RequestOptions, "flags" | "srvid"> = {},
): Promise<StepResult<Answers<N>>> {
  const { answers, failed } = await askAll(host, name, request, pnns, options);
  return failed[0] === undefined ? ok(answers) : err(failed[0]);
}

/**
 * As `askEach`, for steps in which a node may fail for a reason of its own, as one whose disk is full does: a node that
 * fails while all others succeed is remembered. When several fail, nobody knows whose fault it is.
 */
export async function askEachBlaming<N extends ControlName>(
  context: RecoveryContext,
  name: N,
  request: ControlRequestOf<N>,
  options: Pick<RequestOptions, "flags" | "srvid"> = {},
): Promise<StepResult<Answers<N>>> {
  const { answers, failed } = await askAll(context, name, request, context.pnns, options);
  return failedThere(context, failed, answers);
}

async function askAll<N extends ControlName>(
  { client, timeoutMs }: { readonly client: CtdbClient; readonly timeoutMs: number },
  name: N,
  request: ControlRequestOf<N>,
  pnns: readonly number[],
  options: Pick<RequestOptions, "flags" | "srvid"> = {},
): Promise<{ readonly answers: Answers<N>; readonly failed: readonly StepFailure[] }> {
  const outcomes = await client.controlEach(name, request, pnns, { ...options, timeoutMs });
  const answers = new Map<number, NodeAnswer<ControlReplyOf<N>>>();
  const failed: StepFailure[] = [];
  for (const pnn of pnns) {
    const outcome = outcomes.get(pnn);
    if (outcome?.ok === true) answers.set(pnn, outcome.value);
    else if (outcome === undefined)
      failed.push({ pnn, reason: `${name} on node ${pnn} was not asked` });
    else failed.push({ pnn, reason: failureText(name, pnn, outcome.error) });
  }
  return { answers, failed };
}

/** The first of the failures, or `value` when there are none; the only node that failed is remembered. */
export function failedThere<T>(
  { client, failedAlone, pnns }: RecoveryContext,
  failed: readonly StepFailure[],
  value: T,
): StepResult<T> {
  const [first, ...others] = failed;
  if (first === undefined) return ok(value);
  // With our own connection gone, nobody else is to blame.
  const isAlone = others.length === 0 && pnns.length > 1 && client.connected;
  if (isAlone && first.pnn !== undefined) failedAlone.add(first.pnn, first.reason);
  return err(first);
}

export function failureText(name: ControlName, pnn: number, failure: ClientFailure): string {
  return `${name} on node ${pnn}: ${failure.kind}: ${failure.reason}`;
}

export function stepFailure(reason: string, pnn?: number): { ok: false; error: StepFailure } {
  return err({ reason, pnn }) as { ok: false; error: StepFailure };
}
