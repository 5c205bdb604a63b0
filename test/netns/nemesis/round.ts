/**
 * One round: all is well and clients write; a fault, and a while with it; everything is put right; the cluster has to be whole
 * again within a bound; then the checkers look at the histories.
 */
import { until, when } from "../../support/until.ts";
import {
  keysWatched,
  lostPersistent,
  lostVolatile,
  otherLeaders,
  type RoundTimes,
  unanswered,
} from "./checkers.ts";
import type { Fault } from "./faults.ts";
import { eventsOf, journalsCaughtUp, type NodeEvent } from "./node_journals.ts";
import { survivorsOf } from "./survivors.ts";
import { COUNTER_DATABASE, COUNTER_KEYS, PERSISTENT_DATABASE } from "./workload_steps.ts";
import type { World } from "./world.ts";

/** Clients work before something is done to them. */
const BEFORE_MS = 700;
const FAULT_MIN_MS = 1000;
const FAULT_MAX_MS = 9000;
/** A daemon whose part has died may end by itself, and is started then. */
const ENDS_BY_ITSELF_MS = 1500;
/**
 * From healing to whole: silent nodes are noticed (KeepaliveInterval × KeepaliveLimit), a ban ends (RecoveryBanPeriod),
 * an election and some recoveries follow; and the machine may be busy with other things.
 */
const WHOLE_MS = 75_000;
/** Each key is written by somebody, each node commits. */
const TOUCHED_MS = 30_000;
const ANSWER_BOUND_MS = 20_000;
/** Both tell of one move by different pipes. */
const ADDRESS_TOLERATED_MS = 300;

export interface RoundResult {
  readonly kind: string;
  readonly done: readonly string[];
  readonly wrong: readonly string[];
  readonly wholeAfterMs: number;
  readonly keys: number;
  readonly survivors: readonly number[];
  readonly recoveries: number;
}

export async function playRound(world: World, fault: Fault): Promise<RoundResult> {
  const { random, workload, visibility } = world;
  world.done.length = 0;
  await Bun.sleep(BEFORE_MS);
  const fromMs = Date.now();
  await fault.begin(world);
  await Bun.sleep(random.between(FAULT_MIN_MS, FAULT_MAX_MS));
  await world.heal();
  const healedMs = Date.now();
  await Bun.sleep(ENDS_BY_ITSELF_MS);
  const whole = await becomesWhole(world);
  const wholeMs = Date.now();
  if (whole !== undefined) return failed(world, fault, [whole], wholeMs - healedMs);
  visibility.whole();
  const untouched = await everythingTouched(world, wholeMs);
  await journalsCaughtUp(world.cluster);
  const events = eventsOf(world.cluster, 0);
  const inRound = events.filter(({ atMs }) => atMs >= fromMs);
  const survivors = survivorsOf(world.nodes, events, fromMs);
  const times: RoundTimes = {
    ...{ fromMs, survivors },
    togetherMs: survivors.size === world.nodes.length ? wholeMs : togetherSince(inRound, wholeMs),
  };
  const { operations } = workload;
  const wrong = [
    ...untouched,
    ...lostPersistent(operations),
    ...lostVolatile(operations, times),
    ...otherLeaders(events),
    ...unanswered(
      operations.filter(({ endMs }) => endMs >= fromMs),
      wholeMs,
      Date.now(),
      ANSWER_BOUND_MS,
    ),
    ...world.addresses.overlaps(
      (one, other, atMs) => visibility.visibleFrom(one, other, atMs),
      ADDRESS_TOLERATED_MS,
    ),
  ];
  const recoveries = inRound.filter(({ kind }) => kind === "recovery_started").length;
  return {
    ...{ kind: fault.kind, done: [...world.done], wrong, wholeAfterMs: wholeMs - healedMs },
    ...{ keys: keysWatched(operations, times), survivors: [...survivors], recoveries },
  };
}

function failed(
  world: World,
  { kind }: Fault,
  wrong: readonly string[],
  wholeAfterMs: number,
): RoundResult {
  return {
    ...{ kind, done: [...world.done], wrong, wholeAfterMs },
    ...{ keys: 0, survivors: [], recoveries: 0 },
  };
}

/** Undefined when it is; otherwise what is missing, in words. */
async function becomesWhole(world: World): Promise<string | undefined> {
  const { cluster } = world;
  const endMs = performance.now() + WHOLE_MS;
  let missing: string | undefined = "nobody was asked";
  while (missing !== undefined && performance.now() < endMs) {
    await world.startWhatEnded();
    missing = await whatIsMissing(world);
    if (missing !== undefined) await Bun.sleep(150);
  }
  if (missing === undefined) return undefined;
  const status = await cluster.node(0).ourCtdb(["status"], { timeoutMs: 20_000 });
  return `not whole ${WHOLE_MS} ms after healing: ${missing}\n${status.stdout}${status.stderr}`;
}

async function whatIsMissing(world: World): Promise<string | undefined> {
  const { cluster, nodes, addresses } = world;
  const leaders = new Set<string>();
  for (const pnn of nodes) {
    const { stdout, stderr, code } = await cluster
      .node(pnn)
      .ourCtdb(["--json", "status"], { timeoutMs: 20_000 });
    if (code !== 0) return `node ${pnn}: ${stdout}${stderr}`;
    const status = JSON.parse(stdout) as StatusDocument;
    const bad = Object.values(status.node_status.nodes).filter(({ flags_raw }) => flags_raw !== 0);
    if (bad.length > 0) return `node ${pnn} sees ${JSON.stringify(bad)}`;
    if (status.recovery_mode !== "NORMAL") return `node ${pnn} is in recovery`;
    leaders.add(String(status.leader));
  }
  if (leaders.size !== 1) return `nodes see leaders ${[...leaders].join(", ")}`;
  for (const address of cluster.publicAddresses) {
    const holders = addresses.holders(address);
    if (holders.length !== 1) return `${address} is on ${JSON.stringify(holders)}`;
  }
  return undefined;
}

interface StatusDocument {
  readonly node_status: {
    readonly nodes: Readonly<Record<string, { readonly flags_raw: number }>>;
  };
  readonly recovery_mode: string;
  readonly leader: number | null;
}

/** Everything that could be lost is asked for now, from every node: what is lost shows. */
async function everythingTouched(world: World, sinceMs: number): Promise<readonly string[]> {
  const { operations } = world.workload;
  const isDone = (database: string, key: string | undefined, node: number | undefined) =>
    operations.some(
      (each) =>
        each.database === database &&
        each.how === "done" &&
        each.beginMs >= sinceMs &&
        (key === undefined || each.key === key) &&
        (node === undefined || each.node === node),
    );
  const missing = () => [
    ...COUNTER_KEYS.filter((key) => !isDone(COUNTER_DATABASE, key, undefined)),
    ...world.nodes
      .filter((node) => !isDone(PERSISTENT_DATABASE, undefined, node))
      .map((node) => `a commit of node ${node}`),
  ];
  try {
    await until("all is touched", TOUCHED_MS, () => when(missing().length === 0));
    return [];
  } catch {
    return [`${TOUCHED_MS} ms after all was well nobody could have ${missing().join(", ")}`];
  }
}

/** When the last recovery before the cluster was whole had ended. */
function togetherSince(events: readonly NodeEvent[], wholeMs: number): number {
  const ends = events.flatMap((event) =>
    event.kind === "recovery_ended" && event.succeeded && event.atMs <= wholeMs ? [event.atMs] : [],
  );
  return ends.at(-1) ?? wholeMs;
}
