/**
 * One takeover run from the leader's side, as a client of its own ctdbd (docs/takeover.md, "A run"): who knows
 * which public addresses, who is to host them, and every node told what to release and what to take.
 *
 * It owns no state that outlives it. Every request has a deadline, so it always ends; it is cancelled by closing its
 * client, or by killing the process it runs in. A run that fails changes nothing back: the next one puts right
 * what this one left.
 */
import { E2BIG, ENOENT } from "../../base/errno.ts";
import { err, ok } from "../../base/result.ts";
import { TunableSet } from "../../config/tunables.ts";
import { BanCredits } from "../../membership/ban_credits.ts";
import { encode, u32Codec } from "../../wire/codec.ts";
import { NODE_FLAGS, NODE_FLAGS_INACTIVE, SRVID } from "../../wire/constants.ts";
import type { NodeAndFlags } from "../../wire/structs/cluster.ts";
import { canHostAddresses, type PublicAddress } from "../allocation/addresses.ts";
import { type AllocationAlgorithm, algorithmOfTunable, allocate } from "../allocation/allocate.ts";
import type { HomeNode } from "../allocation/home_nodes.ts";
import { assignments } from "./assignments.ts";
import { fetchAddresses } from "./fetch_addresses.ts";
import {
  FIRST_REQUEST_TIMEOUT_MS,
  REQUEST_TIMEOUT_MIN_MS,
  STEPS_TIMEOUT_FACTOR,
} from "./limits.ts";
import {
  endReallocation,
  releaseAddresses,
  startReallocation,
  takeAddresses,
} from "./move_addresses.ts";
import { requestStatus, wasAnswered } from "./request_status.ts";
import {
  StepDeadline,
  type StepResult,
  stepFailed,
  type TakeoverContext,
  type TakeoverHost,
} from "./takeover_context.ts";

export interface TakeoverOptions {
  /** Nodes that should get addresses although they have some. */
  readonly rebalance: readonly number[];
  /** `[failover] disabled`: nobody is told to release or take anything. */
  readonly failoverDisabled: boolean;
  /** Asked for when the algorithm is the deterministic one. */
  homeNodes(): readonly HomeNode[];
}

export interface TakeoverSummary {
  /** With their hosts; empty when nothing was to be hosted. */
  readonly addresses: readonly PublicAddress[];
}

/** `status` of a failure is what the helper reports. */
export type TakeoverOutcome = StepResult<TakeoverSummary>;

export async function runTakeover(
  host: TakeoverHost,
  options: TakeoverOptions,
): Promise<TakeoverOutcome> {
  const settings = await readSettings(host);
  if (!settings.ok) return settings;
  const nodes = await readNodes(host, settings.value.timeoutMs);
  if (!nodes.ok) return nodes;
  const context: TakeoverContext = {
    ...host,
    nodeCount: nodes.value.length,
    connected: nodes.value.filter(isConnected).map(pnnOf),
    timeoutMs: settings.value.timeoutMs,
    credits: new BanCredits(1),
  };
  if (!nodes.value.some(isActive)) {
    host.log.error("No node is active, there is nobody to host public IPs");
    return stepFailed("no node is active", ENOENT);
  }
  const outcome = await reallocate(context, nodes.value, settings.value, options);
  if (outcome.ok) return outcome;
  const blamed = settings.value.enableBans ? blameWorst(context) : undefined;
  return err({ ...outcome.error, blamed });
}

async function reallocate(
  context: TakeoverContext,
  nodes: readonly NodeAndFlags[],
  settings: Settings,
  options: TakeoverOptions,
): Promise<TakeoverOutcome> {
  const stepsMs = STEPS_TIMEOUT_FACTOR * context.timeoutMs;
  const nothingHosted = async (): Promise<TakeoverOutcome> => {
    const ended = await endReallocation(context, new StepDeadline(context.clock, stepsMs));
    return ended.ok ? ok({ addresses: [] }) : ended;
  };
  if (options.failoverDisabled) return nothingHosted();

  const fetched = await fetchAddresses(context, nodes.filter(isActive).map(pnnOf));
  if (!fetched.ok) return fetched;
  const { known, available } = fetched.value;
  if (!canHostAddresses(context.nodeCount, known, available)) {
    context.log.notice("No nodes available to host public IPs yet");
    return nothingHosted();
  }
  const { algorithm, noTakeover, noFailback } = settings;
  const placed = allocate({
    nodeCount: context.nodeCount,
    log: context.log,
    logsDetails: context.logsDetails,
    algorithm,
    noTakeover,
    noFailback,
    rebalance: options.rebalance,
    homeNodes: algorithm === "deterministic" ? options.homeNodes() : [],
    known,
    available,
  });
  if (!placed.ok) {
    context.log.error(`Cannot allocate public IPs: ${placed.error}`);
    return stepFailed(placed.error, E2BIG);
  }
  const addresses = placed.value;
  const moved = { placed: addresses, known, nodes, rebalance: options.rebalance };
  for (const assignment of assignments(moved)) {
    context.journal.record({ kind: "address_assigned", ...assignment });
  }
  // Its time begins here: what the allocation took is not the nodes' fault.
  const deadline = new StepDeadline(context.clock, stepsMs);
  const started = await startReallocation(context, deadline);
  if (!started.ok) return started;
  const released = await releaseAddresses(context, addresses, deadline);
  if (!released.ok) return released;
  const taken = await takeAddresses(context, addresses, deadline);
  if (!taken.ok) return taken;
  const ended = await endReallocation(context, deadline);
  return ended.ok ? ok({ addresses }) : ended;
}

interface Settings {
  readonly timeoutMs: number;
  readonly algorithm: AllocationAlgorithm;
  readonly noTakeover: boolean;
  readonly noFailback: boolean;
  readonly enableBans: boolean;
}

async function readSettings({ client, log }: TakeoverHost): Promise<StepResult<Settings>> {
  const options = { pnn: client.pnn, timeoutMs: FIRST_REQUEST_TIMEOUT_MS };
  const outcome = await client.control("GET_ALL_TUNABLES", undefined, options);
  if (!outcome.ok) {
    const status = requestStatus(outcome);
    log.error(`control GET_ALL_TUNABLES failed, ret=${status}`);
    return stepFailed(`GET_ALL_TUNABLES: ${outcome.error.reason}`, status);
  }
  const tunables = new TunableSet();
  tunables.assignWireOrder(outcome.value.data);
  const read = (name: string): number => tunables.get(name) ?? 0;
  return ok({
    timeoutMs: Math.max(read("TakeoverTimeout") * 1000, REQUEST_TIMEOUT_MIN_MS),
    algorithm: algorithmOfTunable(read("IPAllocAlgorithm")),
    noTakeover: read("NoIPTakeover") !== 0,
    noFailback: read("NoIPFailback") !== 0,
    enableBans: read("EnableBans") !== 0,
  });
}

async function readNodes(
  { client, log }: TakeoverHost,
  timeoutMs: number,
): Promise<StepResult<readonly NodeAndFlags[]>> {
  const options = { pnn: client.pnn, timeoutMs };
  const outcome = await client.control("GET_NODEMAP", undefined, options);
  if (outcome.ok) return ok(outcome.value.data);
  const status = requestStatus(outcome);
  const where = wasAnswered(outcome) ? "" : ` to node ${client.pnn}`;
  log.error(`control GET_NODEMAP failed${where}, ret=${status}`);
  return stepFailed(`GET_NODEMAP: ${outcome.error.reason}`, status);
}

function pnnOf({ pnn }: NodeAndFlags): number {
  return pnn;
}

function isConnected({ flags }: NodeAndFlags): boolean {
  return (flags & NODE_FLAGS.DISCONNECTED) === 0;
}

function isActive({ flags }: NodeAndFlags): boolean {
  return (flags & NODE_FLAGS_INACTIVE) === 0;
}

/** Our own recovery daemon counts, and bans whoever comes to the limit (docs/recovery.md, "Bans"). */
function blameWorst({ client, credits, log }: TakeoverContext): number | undefined {
  const worst = credits.worst();
  if (worst === undefined) return undefined;
  log.warning(`Assigning banning credits to node ${worst}`);
  client.sendMessage(client.pnn, SRVID.BANNING, encode(u32Codec, worst));
  return worst;
}
