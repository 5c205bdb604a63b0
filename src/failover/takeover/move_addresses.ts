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
  const { client, connected } = context;
  const options = { timeoutMs: deadline.leftMs };
  const outcomes = await client.controlEach("START_IPREALLOCATE", undefined, connected, options);
  const step = new Step(context, "START_IPREALLOCATE");
  const known = [...outcomes].filter(([pnn, outcome]) => {
    const isKnown = requestStatus(outcome) !== UNKNOWN_CONTROL;
    if (!isKnown) context.log.info(`Node ${pnn} does not know START_IPREALLOCATE`);
    return isKnown;
  });
  step.answered("START_IPREALLOCATE", known);
  return step.result();
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
  const { client, connected } = context;
  const step = new Step(context, "RELEASE_IP");
  const atOnce = Math.max(Math.floor(REQUESTS_AT_ONCE_MAX / context.nodeCount), 1);
  await inBatches(addresses, atOnce, async ({ addr, pnn: host, knownOn }) => {
    const pnns = connected.filter((pnn) => pnn !== host && knownOn.has(pnn));
    const options = { timeoutMs: deadline.leftMs };
    const outcomes = await client.controlEach("RELEASE_IP", { pnn: host, addr }, pnns, options);
    return () => step.answered(`RELEASE_IP ${addr.address}`, [...outcomes]);
  });
  return step.result();
}

/** To every host, also one that has the address: a node may have lost it. */
export async function takeAddresses(
  context: TakeoverContext,
  addresses: readonly PublicAddress[],
  deadline: StepDeadline,
): Promise<StepResult<void>> {
  const { client, log } = context;
  const step = new Step(context, "TAKEOVER_IP");
  const hosted = addresses.filter(({ pnn }) => pnn !== UNKNOWN_PNN);
  await inBatches(hosted, REQUESTS_AT_ONCE_MAX, async ({ addr, pnn }) => {
    const options = { pnn, timeoutMs: deadline.leftMs };
    const outcome = await client.control("TAKEOVER_IP", { pnn, addr }, options);
    return () => {
      const what = `TAKEOVER_IP ${addr.address}`;
      const status = requestStatus(outcome);
      if (status === 0) log.info(`${what} succeeded on node ${pnn}`);
      else step.failed(what, pnn, status, wasAnswered(outcome) ? "on" : "to");
    };
  });
  return step.result();
}

/** The event after a run, also of one in which nothing was to be hosted. */
export async function endReallocation(
  context: TakeoverContext,
  deadline: StepDeadline,
): Promise<StepResult<void>> {
  const { client, connected } = context;
  const options = { timeoutMs: deadline.leftMs };
  const outcomes = await client.controlEach("IPREALLOCATED", undefined, connected, options);
  const step = new Step(context, "IPREALLOCATED");
  step.answered("IPREALLOCATED", [...outcomes]);
  return step.result();
}

/** `ask` gives what is to be said of its answers; it is said in the order of the addresses. */
async function inBatches(
  addresses: readonly PublicAddress[],
  atOnce: number,
  ask: (address: PublicAddress) => Promise<() => void>,
): Promise<void> {
  for (let start = 0; start < addresses.length; start += atOnce) {
    const ends = await Promise.all(addresses.slice(start, start + atOnce).map(ask));
    for (const end of ends) end();
  }
}

/** What became of the requests of a step; each that failed is a credit for its node. */
class Step {
  readonly #context: TakeoverContext;
  readonly #name: string;
  #failures = 0;
  #first: { readonly pnn: number; readonly status: number } | undefined;

  constructor(context: TakeoverContext, name: string) {
    this.#context = context;
    this.#name = name;
  }

  /** One request to several nodes. */
  answered(what: string, outcomes: readonly (readonly [number, ControlOutcome<unknown>])[]): void {
    const failed = outcomes.filter(([, outcome]) => requestStatus(outcome) !== 0);
    for (const [pnn, outcome] of failed) this.failed(what, pnn, requestStatus(outcome));
    if (failed.length > 0 || outcomes.length === 0) return;
    this.#context.log.info(`${what} succeeded on ${outcomes.length} nodes`);
  }

  failed(what: string, pnn: number, status: number, where: "on" | "to" = "on"): void {
    this.#context.log.error(`${what} failed ${where} node ${pnn}, ret=${status}`);
    this.#context.credits.add(pnn, `${what} failed with status ${status}`);
    this.#failures += 1;
    this.#first ??= { pnn, status };
  }

  result(): StepResult<void> {
    if (this.#first === undefined) return ok(undefined);
    const { pnn, status } = this.#first;
    const more = this.#failures > 1 ? ` and ${this.#failures - 1} more` : "";
    return stepFailed(`${this.#name} failed on node ${pnn}, status ${status}${more}`, status);
  }
}
