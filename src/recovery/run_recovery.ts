/**
 * One recovery from the leader's side, as a client of its own ctdbd (docs/recovery.md,
 * "Sequence"). It owns no state that outlives it. Every request has the deadline RecoverTimeout,
 * so it always ends; it is cancelled by closing its client, or by killing the process it runs in.
 *
 * When databases cannot be recovered, the node that was in the way most often is banned from here,
 * and the outcome is a failure; recoverd then begins anew.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { CtdbClient } from "../client/types.ts";
import { TunableSet } from "../config/tunables.ts";
import { BanCredits } from "../membership/ban_credits.ts";
import { decodeExact, encode, u32Codec } from "../wire/codec.ts";
import {
  CAPABILITIES,
  NODE_FLAGS,
  NODE_FLAGS_INACTIVE,
  RECOVERY_ACTIVE,
  RECOVERY_NORMAL,
  SRVID,
} from "../wire/constants.ts";
import { PING_GENERATION } from "../wire/controls.ts";
import { BROADCAST_CONNECTED, INVALID_GENERATION } from "../wire/packet.ts";
import { databaseUnion, type RecoveredDatabase } from "./database_union.ts";
import {
  ATTEMPTS_MAX,
  DATABASES_AT_ONCE_MAX,
  PULLS_AT_ONCE_MAX,
  PUSH_BUFFER_BYTES_MAX,
  PUSH_BUFFER_BYTES_MIN,
  REQUEST_TIMEOUT_MIN_MS,
} from "./limits.ts";
import { recoverDatabase } from "./recover_database.ts";
import {
  askEach,
  type RecoveryContext,
  type RecoveryHost,
  type StepResult,
} from "./recovery_context.ts";
import { SlabMemory } from "./slab_memory.ts";
import { StepEvents } from "./step_events.ts";
import { StepTimes } from "./step_times.ts";
import { Turnstile } from "./turnstile.ts";

export type RecoveryOutcome = Result<RecoverySummary, RecoveryFailure>;

export interface RecoverySummary {
  readonly pnns: readonly number[];
  readonly databases: number;
  readonly records: number;
  readonly durationMs: number;
}

export interface RecoveryFailure {
  /** Which step failed and why, in one line. */
  readonly reason: string;
  /** The node that was banned for it. */
  readonly banned: number | undefined;
}

/** `generation` is the new one; the databases carry it when they are thawed. */
export async function runRecovery(
  host: RecoveryHost,
  options: { readonly generation: number },
): Promise<RecoveryOutcome> {
  const startMs = host.clock.monotonicMs();
  const steps = new StepEvents(host.journal, host.clock, options.generation);
  const tunables = await host.client.control("GET_ALL_TUNABLES", undefined);
  if (!tunables.ok) return failed(`Cannot read the tunables: ${tunables.error.reason}`);
  const settings = settingsOf(tunables.value.data);

  const membership = await findMembers(host, settings.timeoutMs);
  if (!membership.ok) return failed(membership.error.reason);
  steps.ended("members");
  const { connected, pnns, lmasters, unbroken } = membership.value;
  const context: RecoveryContext = {
    ...host,
    ...settings,
    generation: options.generation,
    pnns,
    unbroken,
    toAll: pnns.length === connected.length ? [BROADCAST_CONNECTED] : pnns,
    // As many as a database has attempts (docs/recovery.md, "Bans").
    credits: new BanCredits(ATTEMPTS_MAX),
    failedAlone: new BanCredits(ATTEMPTS_MAX),
    pulls: new Turnstile(PULLS_AT_ONCE_MAX),
    memory: new SlabMemory(host.scratch),
    nextStream: streamNumbers(host.random.u32()),
  };

  const prepared = await beginRecovery(context, lmasters, steps);
  if (!prepared.ok) return failed(prepared.error.reason);
  const recovered = await recoverAll(context, prepared.value);
  steps.ended("all databases");
  const done = recovered.filter((outcome) => outcome.ok).length;
  host.log.notice(`${done} of ${recovered.length} databases recovered`);
  const failure = recovered.find((outcome) => !outcome.ok);
  if (failure !== undefined && !failure.ok) {
    const banned = await banWorst(context, settings);
    if (banned === undefined) tellWhoFailedAlone(context);
    return failed(failure.error.reason, banned);
  }

  const ended = await endRecovery(context, steps);
  if (!ended.ok) return failed(ended.error.reason);
  const records = recovered.reduce((sum, outcome) => sum + (outcome.ok ? outcome.value : 0), 0);
  const durationMs = host.clock.monotonicMs() - startMs;
  return ok({ pnns, databases: recovered.length, records, durationMs });
}

function failed(reason: string, banned?: number): RecoveryOutcome {
  return err({ reason, banned });
}

interface Settings {
  readonly timeoutMs: number;
  readonly pushBufferBytes: number;
  readonly enableBans: boolean;
  readonly banPeriodSec: number;
}

function settingsOf(values: readonly number[]): Settings {
  const tunables = new TunableSet();
  tunables.assignWireOrder(values);
  const read = (name: string): number => tunables.get(name) ?? 0;
  const limit = read("RecBufferSizeLimit");
  return {
    timeoutMs: Math.max(read("RecoverTimeout") * 1000, REQUEST_TIMEOUT_MIN_MS),
    pushBufferBytes: Math.min(Math.max(limit, PUSH_BUFFER_BYTES_MIN), PUSH_BUFFER_BYTES_MAX),
    enableBans: read("EnableBans") !== 0,
    banPeriodSec: read("RecoveryBanPeriod"),
  };
}

/** Numbers for the srvids of streams; the start differs so that a late stream of another run is not ours. */
function streamNumbers(seed: number): () => number {
  let last = seed;
  return () => {
    last = (last + 1) >>> 0;
    return last;
  };
}

interface Members {
  readonly connected: readonly number[];
  /** Connected nodes that say of themselves that they are active. */
  readonly pnns: readonly number[];
  /** Those of them that can be lmaster. */
  readonly lmasters: readonly number[];
  readonly unbroken: number | undefined;
}

async function findMembers(host: RecoveryHost, timeoutMs: number): Promise<StepResult<Members>> {
  const asker = { client: host.client, timeoutMs };
  const own = await askEach(asker, "GET_NODEMAP", undefined, [host.client.pnn]);
  if (!own.ok) return own;
  const nodes = own.value.get(host.client.pnn)?.data ?? [];
  const connected = nodes
    .filter(({ flags }) => (flags & NODE_FLAGS.DISCONNECTED) === 0)
    .map(({ pnn }) => pnn);
  const maps = await askEach(asker, "GET_NODEMAP", undefined, connected);
  if (!maps.ok) return maps;
  const pnns = connected.filter((pnn) => {
    const itself = maps.value.get(pnn)?.data.find((node) => node.pnn === pnn);
    return itself !== undefined && (itself.flags & NODE_FLAGS_INACTIVE) === 0;
  });
  const capabilities = await askEach(asker, "GET_CAPABILITIES", undefined, pnns);
  if (!capabilities.ok) return capabilities;
  const lmasters = pnns.filter(
    (pnn) => ((capabilities.value.get(pnn)?.data ?? 0) & CAPABILITIES.LMASTER) !== 0,
  );
  const unbroken = await findUnbroken(asker, pnns);
  if (!unbroken.ok) return unbroken;
  return ok({ connected, pnns, lmasters, unbroken: unbroken.value });
}

/**
 * The last generation in which the records of a node counted, when it is the same on all that take part. Then nobody
 * of them has recovered without another: what a node has that was inactive for a while was frozen, and nobody can
 * have taken it over. A node that has just started, or is of another make, may have been in any.
 */
async function findUnbroken(
  asker: { readonly client: CtdbClient; readonly timeoutMs: number },
  pnns: readonly number[],
): Promise<StepResult<number | undefined>> {
  const told = await askEach(asker, "PING", undefined, pnns, { flags: PING_GENERATION });
  if (!told.ok) return told;
  const generations = new Set(
    [...told.value.values()].map(({ data }) => {
      const generation = decodeExact(u32Codec, data);
      return generation.ok ? generation.value : INVALID_GENERATION;
    }),
  );
  const [generation, ...others] = generations;
  return ok(others.length === 0 && generation !== INVALID_GENERATION ? generation : undefined);
}

/** Up to the new vnn map on all nodes; the databases to recover. */
async function beginRecovery(
  context: RecoveryContext,
  lmasters: readonly number[],
  steps: StepEvents,
): Promise<StepResult<readonly RecoveredDatabase[]>> {
  const { pnns, log, client, generation } = context;
  const maps = await askEach(context, "GET_DBMAP", undefined, pnns);
  if (!maps.ok) return maps;
  const union = databaseUnion([...maps.value].map(([pnn, { data }]) => ({ pnn, databases: data })));
  if (!union.ok) return err({ reason: union.error, pnn: undefined });

  const active = await askEach(context, "SET_RECMODE", RECOVERY_ACTIVE, pnns);
  if (!active.ok) return active;
  log.notice("Set recovery mode to ACTIVE");
  steps.ended("recovery mode active");
  const started = await askEach(context, "START_RECOVERY", undefined, pnns);
  if (!started.ok) return started;
  log.notice("start_recovery event finished");
  steps.ended("startrecovery event");

  if (lmasters.length === 0) log.warning("No active node can be lmaster; using this node");
  const map = lmasters.length === 0 ? [client.pnn] : lmasters;
  const set = await askEach(context, "SETVNNMAP", { generation, map }, pnns);
  if (!set.ok) return set;
  log.notice(`updated VNNMAP: generation ${generation}, lmasters ${map.join(", ")}`);
  steps.ended("vnn map");
  return ok(union.value);
}

function recoverAll(
  context: RecoveryContext,
  databases: readonly RecoveredDatabase[],
): Promise<StepResult<number>[]> {
  const turnstile = new Turnstile(DATABASES_AT_ONCE_MAX);
  return Promise.all(databases.map((database) => turnstile.run(() => attempts(context, database))));
}

async function attempts(
  context: RecoveryContext,
  database: RecoveredDatabase,
): Promise<StepResult<number>> {
  const id = `0x${database.db_id.toString(16).padStart(8, "0")}`;
  for (let attempt = 1; ; attempt++) {
    const startMs = context.clock.monotonicMs();
    context.log.notice(`recover database ${id}${attempt === 1 ? "" : `, attempt ${attempt}`}`);
    const times = new StepTimes(context.clock);
    const outcome = await recoverDatabase(context, database, times);
    const durationMs = context.clock.monotonicMs() - startMs;
    const tookMs = Math.round(durationMs);
    if (outcome.ok) {
      const { name, records } = outcome.value;
      context.log.info(`recovered database ${id}: ${records} records in ${tookMs} ms (${times})`);
      context.journal.record({
        kind: "recovery_database",
        generation: context.generation,
        database: name,
        records,
        duration_ms: durationMs,
      });
      return ok(records);
    }
    const reason = `database ${id}: ${outcome.error.reason}`;
    context.log.error(
      `recovery of ${reason} (attempt ${attempt} of ${ATTEMPTS_MAX}, ${tookMs} ms)`,
    );
    const isLast = attempt === ATTEMPTS_MAX || outcome.error.final === true;
    if (isLast || !context.client.connected) {
      return err({ reason, pnn: outcome.error.pnn });
    }
  }
}

async function endRecovery(context: RecoveryContext, steps: StepEvents): Promise<StepResult<void>> {
  const normal = await askEach(context, "SET_RECMODE", RECOVERY_NORMAL, context.pnns);
  if (!normal.ok) return normal;
  context.log.notice("Set recovery mode to NORMAL");
  steps.ended("recovery mode normal");
  const ended = await askEach(context, "END_RECOVERY", undefined, context.pnns);
  if (!ended.ok) return ended;
  context.log.notice("recovered event finished");
  steps.ended("recovered event");
  return ok(undefined);
}

function recordBan(context: RecoveryContext, target: number, seconds: number): void {
  const { client, credits, journal } = context;
  const count = credits.count(target);
  const reason = credits.reason(target);
  const blamed = { target, credits: count, total: count, limit: ATTEMPTS_MAX, reason };
  journal.record({ kind: "blame", ...blamed });
  const banned = `it failed ${count} requests of a recovery: ${reason}`;
  const by = { node: client.pnn };
  journal.record({ kind: "ban", target, seconds, reason: banned, by });
}

/**
 * The recovery daemon gives credits for it, and bans the node when one recovery after the other fails like this. One alone says
 * little: a node of which two leaders want something at the same time refuses one of them.
 */
function tellWhoFailedAlone({ client, failedAlone, log }: RecoveryContext): void {
  const worst = failedAlone.worst();
  if (worst === undefined || !client.connected) return;
  log.error(`Only node ${worst} was in the way of this recovery: ${failedAlone.reason(worst)}`);
  client.sendMessage(client.pnn, SRVID.BANNING, encode(u32Codec, worst));
}

/** Bans the node with the most credits, unless it became inactive by itself; then the next. */
async function banWorst(context: RecoveryContext, settings: Settings): Promise<number | undefined> {
  const { client, credits, log } = context;
  if (!settings.enableBans) {
    log.notice("Bans are not enabled");
    return undefined;
  }
  for (let pnn = credits.worst(); pnn !== undefined; pnn = credits.worst()) {
    const map = await askEach(context, "GET_NODEMAP", undefined, [pnn]);
    if (!map.ok) {
      log.error(`Cannot ban node ${pnn}: ${map.error.reason}`);
      return undefined;
    }
    const itself = map.value.get(pnn)?.data.find((node) => node.pnn === pnn);
    if (itself !== undefined && (itself.flags & NODE_FLAGS_INACTIVE) !== 0) {
      credits.forgive(pnn);
      continue;
    }
    log.error(`Banning node ${pnn} for ${settings.banPeriodSec} seconds`);
    recordBan(context, pnn, settings.banPeriodSec);
    const ban = { pnn, time: settings.banPeriodSec };
    const options = { pnn, timeoutMs: context.timeoutMs };
    const banned = await client.control("SET_BAN_STATE", ban, options);
    if (banned.ok) return pnn;
    log.error(`Cannot ban node ${pnn}: ${banned.error.reason}`);
    return undefined;
  }
  return undefined;
}
