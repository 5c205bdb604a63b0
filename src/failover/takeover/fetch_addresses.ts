/** What nodes know of public addresses, and which of these they could host. */
import { ok } from "../../base/result.ts";
import { PUBLIC_IPS_ONLY_AVAILABLE } from "../../wire/controls.ts";
import type { AddressesByNode, HostedAddress } from "../allocation/addresses.ts";
import { requestStatus } from "./request_status.ts";
import { type StepResult, stepFailed, type TakeoverContext } from "./takeover_context.ts";

export interface ClusterAddresses {
  /** Of all connected nodes. */
  readonly known: AddressesByNode;
  /** Of active nodes that know any. */
  readonly available: AddressesByNode;
}

export async function fetchAddresses(
  context: TakeoverContext,
  active: readonly number[],
): Promise<StepResult<ClusterAddresses>> {
  const known = await addressesOf(context, context.connected, "known");
  if (!known.ok) return known;
  const knowing = active.filter((pnn) => (known.value.get(pnn) ?? []).length > 0);
  const available = await addressesOf(context, knowing, "available");
  if (!available.ok) return available;
  return ok({ known: known.value, available: available.value });
}

async function addressesOf(
  context: TakeoverContext,
  pnns: readonly number[],
  which: "known" | "available",
): Promise<StepResult<AddressesByNode>> {
  const { client, log, credits, timeoutMs } = context;
  const flags = which === "available" ? PUBLIC_IPS_ONLY_AVAILABLE : 0;
  const options = { timeoutMs, flags };
  const outcomes = await client.controlEach("GET_PUBLIC_IPS", undefined, pnns, options);
  const lists = new Map<number, readonly HostedAddress[]>();
  let failure = 0;
  for (const [pnn, outcome] of outcomes) {
    const status = requestStatus(outcome);
    if (outcome.ok && status === 0) {
      log.info(`Fetched public IPs from node ${pnn}`);
      lists.set(pnn, outcome.value.data);
      continue;
    }
    log.error(`control GET_PUBLIC_IPS failed on node ${pnn}, ret=${status}`);
    credits.add(pnn, `GET_PUBLIC_IPS failed with status ${status}`);
    failure ||= status;
  }
  if (failure === 0) return ok(lists);
  const reason = `Failed to fetch ${which} public IPs`;
  log.error(reason);
  return stepFailed(reason, failure);
}
