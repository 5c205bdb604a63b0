/**
 * The steps that change something, each on all nodes that it concerns at once, and the next only when all of
 * them have answered. The order keeps an address from being on two nodes: nobody takes one before everybody
 * who may have one has released it.
 */
import { ok } from "../../base/result.ts";
import type { ControlOutcome } from "../../client/types.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { PublicAddress } from "../allocation/addresses.ts";
import { REQUESTS_AT_ONCE_MAX } from "./limits.ts";
import { requestStatus, wasAnswered } from "./request_status.ts";
import {
  type StepDeadline,
  type StepResult,
  stepFailed,
  type TakeoverContext,
} from "./takeover_context.ts";

/** What a node that does not know a control answers; the end of an event is another number, or a positive one. */
const UNKNOWN_CONTROL = -1;

/**
 * The event before a run. A node older than the control has no such event, and is none that failed; nor is one
 * that cannot begin the event, which a later step will tell.
 */
export async function startReallocation(
  context: TakeoverContext,
  deadline: StepDeadline,
): Promise<StepResult<void>> {
  const { client, connected, log } = context;
  const options = { timeoutMs: deadline.leftMs };
  const outcomes = await client.controlEach("START_IPREALLOCATE", undefined, connected, options);
  const failures = new StepFailures(context, "START_IPREALLOCATE");
  for (const [pnn, outcome] of outcomes) {
    const status = requestStatus(outcome);
    if (status === UNKNOWN_CONTROL) {
      log.info(`Node ${pnn} does not know START_IPREALLOCATE, going on without`);
    } else if (status !== 0) {
      log.error(`START_IPREALLOCATE failed on node ${pnn}, ret=${status}`);
      failures.add(pnn, status);
    }
  }
  return failures.result();
}

/**
 * To every node that knows an address and is not to have it, whether it has it or not: by these requests
 * nodes learn who hosts an address.
 */
export async function releaseAddresses(
  context: TakeoverContext,
  addresses: readonly PublicAddress[],
  deadline: StepDeadline,
): Promise<StepResult<void>> {
  const failures = new StepFailures(context, "RELEASE_IP");
  const atOnce = Math.max(Math.floor(REQUESTS_AT_ONCE_MAX / context.nodeCount), 1);
  for (let start = 0; start < addresses.length; start += atOnce) {
    const batch = addresses.slice(start, start + atOnce);
    await Promise.all(batch.map((address) => release(context, address, deadline, failures)));
  }
  return failures.result();
}

async function release(
  context: TakeoverContext,
  { addr, pnn: host, knownOn }: PublicAddress,
  deadline: StepDeadline,
  failures: StepFailures,
): Promise<void> {
  const { client, connected, log } = context;
  const pnns = connected.filter((pnn) => pnn !== host && knownOn.has(pnn));
  const request = { pnn: host, addr };
  const options = { timeoutMs: deadline.leftMs };
  const outcomes = await client.controlEach("RELEASE_IP", request, pnns, options);
  let failed = 0;
  for (const [pnn, outcome] of outcomes) {
    const status = requestStatus(outcome);
    if (status === 0) continue;
    failed += 1;
    log.error(`RELEASE_IP ${addr.address} failed on node ${pnn}, ret=${status}`);
    failures.add(pnn, status);
  }
  if (failed === 0 && pnns.length > 0) {
    log.info(`RELEASE_IP ${addr.address} succeeded on ${pnns.length} nodes`);
  }
}

/** To every host, also one that has the address: a node may have lost it. */
export async function takeAddresses(
  context: TakeoverContext,
  addresses: readonly PublicAddress[],
  deadline: StepDeadline,
): Promise<StepResult<void>> {
  const failures = new StepFailures(context, "TAKEOVER_IP");
  for (let start = 0; start < addresses.length; start += REQUESTS_AT_ONCE_MAX) {
    const batch = addresses.slice(start, start + REQUESTS_AT_ONCE_MAX);
    await Promise.all(batch.map((address) => take(context, address, deadline, failures)));
  }
  return failures.result();
}

async function take(
  context: TakeoverContext,
  { addr, pnn }: PublicAddress,
  deadline: StepDeadline,
  failures: StepFailures,
): Promise<void> {
  if (pnn === UNKNOWN_PNN) return;
  const { client, log } = context;
  const options = { pnn, timeoutMs: deadline.leftMs };
  const outcome = await client.control("TAKEOVER_IP", { pnn, addr }, options);
  const status = requestStatus(outcome);
  if (status === 0) {
    log.info(`TAKEOVER_IP ${addr.address} succeeded on node ${pnn}`);
    return;
  }
  const where = `${wasAnswered(outcome) ? "on" : "to"} node ${pnn}`;
  log.error(`TAKEOVER_IP ${addr.address} failed ${where}, ret=${status}`);
  failures.add(pnn, status);
}

/** The event after a run, also of one in which nothing was to be hosted. */
export async function endReallocation(
  context: TakeoverContext,
  deadline: StepDeadline,
): Promise<StepResult<void>> {
  const { client, connected, log } = context;
  const options = { timeoutMs: deadline.leftMs };
  const outcomes: ReadonlyMap<number, ControlOutcome<unknown>> = await client.controlEach(
    "IPREALLOCATED",
    undefined,
    connected,
    options,
  );
  const failures = new StepFailures(context, "IPREALLOCATED");
  for (const [pnn, outcome] of outcomes) {
    const status = requestStatus(outcome);
    if (status === 0) continue;
    log.error(`IPREALLOCATED failed on node ${pnn}, ret=${status}`);
    failures.add(pnn, status);
  }
  return failures.result();
}

/** Which requests of a step failed; each is a credit for its node. */
class StepFailures {
  readonly #context: TakeoverContext;
  readonly #step: string;
  #count = 0;
  #first: { readonly pnn: number; readonly status: number } | undefined;

  constructor(context: TakeoverContext, step: string) {
    this.#context = context;
    this.#step = step;
  }

  add(pnn: number, status: number): void {
    this.#context.credits.add(pnn);
    this.#count += 1;
    this.#first ??= { pnn, status };
  }

  result(): StepResult<void> {
    if (this.#first === undefined) return ok(undefined);
    const { pnn, status } = this.#first;
    const more = this.#count > 1 ? ` and ${this.#count - 1} more` : "";
    return stepFailed(`${this.#step} failed on node ${pnn}, status ${status}${more}`, status);
  }
}
