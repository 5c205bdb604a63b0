/**
 * The cells of the matrix of mixed clusters: what is done to a running cluster of some layout. A cell throws with the
 * reason when it does not pass; it finds all nodes of the cluster up, and leaves them so.
 */
import { attachDatabase } from "../../../src/client/database.ts";
import { DB_FLAGS, NODE_FLAGS } from "../../../src/wire/constants.ts";
import { must } from "../../support/must.ts";
import { until, when } from "../../support/until.ts";
import { KIND_NAMES, type Layout, type Letter, lettersOf } from "./kinds.ts";
import type { MixedCluster } from "./mixed_cluster.ts";
import { addressesAreOn, addressesLeaveAndReturn } from "./public_addresses.ts";
import { countTogether, messageRing, recordsGoEverywhere } from "./traffic.ts";
import { TRANSACTION_KINDS, transactEverywhere } from "./transactions.ts";

export interface CellWorld {
  readonly mixed: MixedCluster;
  readonly layout: Layout;
  /** What a cell writes is told from what another wrote by it. */
  readonly round: string;
}

export interface Cell {
  readonly name: string;
  /** Whether the cell is one of this layout: a cell about a kind needs a node of it. */
  readonly concerns: (layout: Layout) => boolean;
  readonly run: (world: CellWorld) => Promise<void>;
}

const FLAG_TIMEOUT_MS = 60_000;
const BAN_SECONDS = 3;
const BLAME_RECOVER_SECONDS = 3;
const DEFAULT_RECOVER_SECONDS = 30;
const BLAME_TIMEOUT_MS = 90_000;
const COUNTS = { increments: 10, stores: 3 };

const everywhere = () => true;
const has = (letter: Letter) => (layout: Layout) => layout.includes(letter);
const isMixed = (layout: Layout) => new Set(layout).size > 1;

export function nodesOf(layout: Layout, letter: Letter): readonly number[] {
  return lettersOf(layout).flatMap((one, pnn) => (one === letter ? [pnn] : []));
}

/** A node for the part of the victim: of another kind than the leader if there is one. */
function otherNode(layout: Layout, leader: number): number {
  const letters = lettersOf(layout);
  const others = letters.map((_, pnn) => pnn).filter((pnn) => pnn !== leader);
  return others.find((pnn) => letters[pnn] !== letters[leader]) ?? (others[0] as number);
}

async function leads({ mixed, layout }: CellWorld, letter: Letter): Promise<number> {
  const [leader] = nodesOf(layout, letter) as [number];
  const said = await mixed.leaders();
  if (said.some((name) => name !== String(leader))) await mixed.moveLeader(leader);
  return leader;
}

async function flagsOf(mixed: MixedCluster, asked: number, pnn: number): Promise<number> {
  const map = await (await mixed.client(asked)).control("GET_NODEMAP", undefined);
  return map.ok ? (map.value.data[pnn]?.flags ?? 0) : 0;
}

interface Watch {
  /** Who has to see it; all other nodes by default. */
  readonly by?: readonly number[];
  readonly timeoutMs?: number;
}

/** They see the flag of a node, or see that it is gone. */
async function isSeen(
  mixed: MixedCluster,
  pnn: number,
  flag: number,
  set: boolean,
  { by = mixed.others(pnn), timeoutMs = FLAG_TIMEOUT_MS }: Watch = {},
): Promise<void> {
  let seen: readonly number[] = [];
  const name = Object.entries(NODE_FLAGS).find(([, value]) => value === flag)?.[0];
  await until(
    `nodes ${by} see node ${pnn} ${set ? "as" : "no longer as"} ${name}`,
    timeoutMs,
    async () => {
      seen = await Promise.all(by.map((other) => flagsOf(mixed, other, pnn)));
      return when(seen.every((flags) => ((flags & flag) !== 0) === set));
    },
    () => `they see flags ${seen}`,
  );
}

async function tool(mixed: MixedCluster, pnn: number, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await mixed.cluster.stockCtdb(pnn, ...args);
  if (code !== 0) throw new Error(`ctdb ${args.join(" ")} on node ${pnn}: ${stderr}${stdout}`);
}

async function setTunable(mixed: MixedCluster, name: string, value: number): Promise<void> {
  for (const pnn of mixed.pnns) {
    const client = await mixed.client(pnn);
    must(await client.control("SET_TUNABLE", { name, value }), `set ${name} on node ${pnn}`);
  }
}

/** Recoveries by this leader keep the records of all nodes. */
async function recovers(world: CellWorld, letter: Letter): Promise<void> {
  const { mixed, round } = world;
  const leader = await leads(world, letter);
  await recordsGoEverywhere(mixed, mixed.pnns, `${round} before`);
  await mixed.recover();
  const [said] = await mixed.leaders();
  if (said !== String(leader)) throw new Error(`expected leader ${leader}, it is ${said}`);
  await recordsGoEverywhere(mixed, mixed.pnns, `${round} after`);
}

/** A chain of a node's file stays locked: its part in every recovery fails, and the leader bans it for that. */
async function bansWhoFails(world: CellWorld, letter: Letter): Promise<void> {
  const { mixed, layout } = world;
  const leader = await leads(world, letter);
  const victim = otherNode(layout, leader);
  const client = await mixed.client(victim);
  const name = "mixed_blame.tdb";
  const attached = must(await attachDatabase(client, name, DB_FLAGS.PERSISTENT, 30_000), "attach");
  await setTunable(mixed, "RecoverTimeout", BLAME_RECOVER_SECONDS);
  const script =
    "import tdb,sys,time; t=tdb.open(sys.argv[1]); t.lock_all(); print('locked',flush=True); time.sleep(300)";
  const holder = Bun.spawn(["/usr/bin/python3", "-c", script, attached.path], { stdout: "pipe" });
  try {
    await holder.stdout.getReader().read();
    must(await (await mixed.client(leader)).control("SET_RECMODE", 1), "SET_RECMODE");
    await isSeen(mixed, victim, NODE_FLAGS.BANNED, true, { timeoutMs: BLAME_TIMEOUT_MS });
  } finally {
    holder.kill("SIGKILL");
    await holder.exited;
    await setTunable(mixed, "RecoverTimeout", DEFAULT_RECOVER_SECONDS);
  }
  await mixed.settled(mixed.others(victim), leader);
  await tool(mixed, victim, "unban");
  await mixed.settled(mixed.pnns);
}

/** By a tool on another node: the rest recovers without it, and it comes back when its time is over. */
async function isBanned({ mixed, layout, round }: CellWorld, letter: Letter): Promise<void> {
  const [victim] = nodesOf(layout, letter) as [number];
  const others = mixed.others(victim);
  // Not by the tool: Debian's misses a ban that is as short as this, and waits for it for ever.
  const client = await mixed.client(others[0] as number);
  const ban = { pnn: victim, time: BAN_SECONDS };
  must(await client.control("SET_BAN_STATE", ban, { pnn: victim }), "SET_BAN_STATE");
  // The others learn of it from a leader: of a banned leader with the next one, when so short a ban is over.
  await isSeen(mixed, victim, NODE_FLAGS.BANNED, true, { by: [victim] });
  await isSeen(mixed, victim, NODE_FLAGS.BANNED, false, { by: [victim] });
  await mixed.settled(mixed.pnns);
  await tool(mixed, others[0] as number, "-n", String(victim), "ban", "300");
  await mixed.settled(others);
  await recordsGoEverywhere(mixed, others, `${round} without ${victim}`);
  await tool(mixed, others[0] as number, "-n", String(victim), "unban");
  await mixed.settled(mixed.pnns);
  await recordsGoEverywhere(mixed, mixed.pnns, `${round} with ${victim}`);
}

async function isStopped({ mixed, layout, round }: CellWorld, letter: Letter): Promise<void> {
  const [victim] = nodesOf(layout, letter) as [number];
  const others = mixed.others(victim);
  await tool(mixed, others[0] as number, "-n", String(victim), "stop");
  await isSeen(mixed, victim, NODE_FLAGS.STOPPED, true);
  await mixed.settled(others);
  await recordsGoEverywhere(mixed, others, `${round} without ${victim}`);
  await tool(mixed, others[0] as number, "-n", String(victim), "continue");
  await isSeen(mixed, victim, NODE_FLAGS.STOPPED, false);
  await mixed.settled(mixed.pnns);
  await recordsGoEverywhere(mixed, mixed.pnns, `${round} with ${victim}`);
}

async function isKilled(world: CellWorld, letter: Letter): Promise<void> {
  const { mixed, round } = world;
  const victim = await leads(world, letter);
  const survivors = mixed.others(victim);
  await mixed.cluster.kill(victim);
  await mixed.settled(survivors);
  await recordsGoEverywhere(mixed, survivors, `${round} without ${victim}`);
  await mixed.start(victim);
  await mixed.settled(mixed.pnns);
  await recordsGoEverywhere(mixed, mixed.pnns, `${round} with ${victim}`);
}

/** All down, then the nodes of this kind alone, and the others when those serve. */
async function isThereFirst({ mixed, layout, round }: CellWorld, letter: Letter): Promise<void> {
  await mixed.cluster.stop();
  const first = nodesOf(layout, letter);
  await mixed.start(...first);
  await mixed.settled(first);
  for (const pnn of mixed.others(...first)) await mixed.start(pnn);
  await mixed.settled(mixed.pnns);
  await recordsGoEverywhere(mixed, mixed.pnns, round);
}

/** A node of this kind ends in order and starts again beside the others. */
async function isRestarted({ mixed, layout, round }: CellWorld, letter: Letter): Promise<void> {
  const pnn = nodesOf(layout, letter).at(-1) as number;
  await mixed.cluster.stop(pnn);
  await mixed.settled(mixed.others(pnn));
  await mixed.start(pnn);
  await mixed.settled(mixed.pnns);
  await recordsGoEverywhere(mixed, mixed.pnns, round);
}

/** The disabled node is of another kind than the leader; then the leader itself gives its addresses away. */
async function movesAddresses(world: CellWorld, letter: Letter): Promise<void> {
  const { mixed, layout } = world;
  const leader = await leads(world, letter);
  await addressesAreOn(mixed, mixed.pnns);
  await addressesLeaveAndReturn(mixed, otherNode(layout, leader));
  await addressesLeaveAndReturn(mixed, leader);
}

/** One for each kind, in a table: what a node of that kind does, or what is done to it. */
function perKind(
  text: (kind: string) => string,
  run: (world: CellWorld, letter: Letter) => Promise<void>,
  more: (layout: Layout) => boolean = everywhere,
): readonly Cell[] {
  return (Object.keys(KIND_NAMES) as Letter[]).map((letter) => ({
    name: text(KIND_NAMES[letter]),
    concerns: (layout) => has(letter)(layout) && more(layout),
    run: (world) => run(world, letter),
  }));
}

const together: readonly Cell[] = [
  {
    name: "all start at once",
    concerns: everywhere,
    // Who runs the cells has started them.
    run: async ({ mixed }) => void (await mixed.settled(mixed.pnns)),
  },
  {
    name: "records, and one counter from all nodes",
    concerns: everywhere,
    async run({ mixed, round }) {
      await recordsGoEverywhere(mixed, mixed.pnns, round);
      await countTogether(mixed, mixed.pnns);
    },
  },
  {
    name: "messages around and to all",
    concerns: everywhere,
    run: ({ mixed }) => messageRing(mixed, mixed.pnns),
  },
  {
    name: "transactions from all nodes",
    concerns: everywhere,
    async run({ mixed }) {
      for (const kind of TRANSACTION_KINDS) await transactEverywhere(mixed.cluster, kind, COUNTS);
    },
  },
];

/** Cells that share one running cluster, in this order. */
export interface CellGroup {
  readonly title: string;
  readonly cells: readonly Cell[];
}

export const LEADING: CellGroup = {
  title: "together, and led by each kind",
  cells: [
    ...together,
    ...perKind((kind) => `${kind} leads and recovers`, recovers),
    ...perKind((kind) => `${kind} leads and moves public addresses`, movesAddresses),
    ...perKind((kind) => `${kind} leads and bans who fails its recoveries`, bansWhoFails),
  ],
};

export const LEAVING: CellGroup = {
  title: "leaving and coming back",
  cells: [
    ...perKind((kind) => `${kind} is there first, the others join`, isThereFirst, isMixed),
    ...perKind((kind) => `${kind} is restarted`, isRestarted),
    ...perKind((kind) => `${kind} is stopped and continued`, isStopped),
    ...perKind((kind) => `${kind} is banned and comes back`, isBanned),
    ...perKind((kind) => `${kind} leads and is killed`, isKilled),
  ],
};
