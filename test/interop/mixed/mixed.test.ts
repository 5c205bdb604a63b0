/**
 * Clusters of our nodes and Debian's: records and messages between them, either kind as leader and
 * recovery coordinator, and the sudden death of either, with and without a cluster lock.
 */
import { expect, test } from "bun:test";
import type { LockKind } from "../../../src/local/cluster_description.ts";
import { stockInstalled, withCluster } from "../../support/local_cluster.ts";
import { checkKept, checkVolatile, fillKept, fillVolatile } from "./contents.ts";
import { copiesAreLentAndTakenBack, readersAndWriters, toolReadsCopies } from "./copies.ts";
import { type Kind, MixedCluster } from "./mixed_cluster.ts";
import { step } from "./steps.ts";
import { countTogether, messageRing, recordsGoEverywhere } from "./traffic.ts";

const interop = test.skipIf(!stockInstalled());
const TIMEOUT_MS = 300_000;
const KINDS: readonly Kind[] = ["ours", "stock"];

/** Read-only copies in a cluster of two nodes of one kind and one of the other. */
async function copiesScenario(mixed: MixedCluster): Promise<void> {
  await step("all OK", () => mixed.settled(mixed.pnns));
  await step("copies are lent and taken back", () => copiesAreLentAndTakenBack(mixed));
  await step("tools read copies", () => toolReadsCopies(mixed));
  await step("readers and writers", () => readersAndWriters(mixed));
  await step("a recovery takes copies back", () => mixed.recover());
  await step("copies once more", () => copiesAreLentAndTakenBack(mixed));
}

/** A node of this kind leads, a recovery that it coordinates keeps everything. */
async function leadAndRecover(mixed: MixedCluster, kind: Kind): Promise<number> {
  const leader = mixed.nodesOf(kind)[0] as number;
  await step(`node ${leader} (${kind}) becomes leader`, () => mixed.moveLeader(leader));
  await step(`recovery by ${kind}`, () => mixed.recover());
  expect(await mixed.leaders()).toEqual(mixed.pnns.map(() => String(leader)));
  if (mixed.hasLock) await step("who holds the lock", () => mixed.lockIsHeldBy(leader));
  await step(`10 000 records after a recovery by ${kind}`, () => checkVolatile(mixed, mixed.pnns));
  return leader;
}

/** The leader dies; the others elect, recover and go on; then it comes back. */
async function loseAndReturn(mixed: MixedCluster, victim: number): Promise<void> {
  const kind = mixed.kindOf(victim);
  const survivors = mixed.others(victim);
  await step(`kill node ${victim} (${kind})`, () => mixed.cluster.kill(victim));
  const next = await step("survivors recover", () => mixed.settled(survivors));
  if (mixed.hasLock) await step("who holds the lock", () => mixed.lockIsHeldBy(next));
  await step("records on survivors", () => recordsGoEverywhere(mixed, survivors, `no ${victim}`));
  await step("messages between survivors", () => messageRing(mixed, survivors));
  await step("10 000 records on survivors", () => checkVolatile(mixed, survivors));
  await step("it comes back", () => mixed.start(victim));
  await step("all settle", () => mixed.settled(mixed.pnns));
  await step("records everywhere", () => recordsGoEverywhere(mixed, mixed.pnns, `${victim} back`));
}

async function wholeScenario(mixed: MixedCluster): Promise<void> {
  await step("all OK", () => mixed.settled(mixed.pnns));
  await step("records everywhere", () => recordsGoEverywhere(mixed, mixed.pnns, "first"));
  await step("one counter", () => countTogether(mixed, mixed.pnns));
  await step("message ring", () => messageRing(mixed, mixed.pnns));
  await step("persistent and replicated records", () => fillKept(mixed));
  // Not before: what only a stopped node holds is lost, as with the original.
  await step("10 000 records", () => fillVolatile(mixed));
  for (const kind of KINDS) {
    const leader = await leadAndRecover(mixed, kind);
    await step("kept databases", () => checkKept(mixed, mixed.pnns));
    await loseAndReturn(mixed, leader);
    await step("kept databases after the return", () => checkKept(mixed, mixed.pnns));
  }
}

/** Each kind leads once and is killed. */
async function shortScenario(mixed: MixedCluster): Promise<void> {
  await step("all OK", () => mixed.settled(mixed.pnns));
  await step("10 000 records", () => fillVolatile(mixed));
  for (const kind of KINDS) await loseAndReturn(mixed, await leadAndRecover(mixed, kind));
}

interface Case {
  readonly stock: readonly number[];
  readonly lock: LockKind;
  readonly run: (mixed: MixedCluster) => Promise<void>;
}
const CASES: readonly Case[] = [
  { stock: [2], lock: "none", run: wholeScenario },
  { stock: [1, 2], lock: "file", run: wholeScenario },
  { stock: [0], lock: "file", run: shortScenario },
  { stock: [0, 1], lock: "none", run: shortScenario },
];
const COPIES_CASES: readonly Case[] = [
  { stock: [2], lock: "none", run: copiesScenario },
  { stock: [0, 1], lock: "none", run: copiesScenario },
];

function play(name: string, { stock, lock, run }: Case): void {
  interop(
    name,
    () =>
      withCluster({ nodes: 3, stock, lock, startNothing: true }, async (cluster) => {
        const mixed = new MixedCluster(cluster);
        await mixed.start(...mixed.pnns);
        await run(mixed);
      }),
    TIMEOUT_MS,
  );
}

for (const one of CASES) {
  const nodes = `${3 - one.stock.length} of our nodes and ${one.stock.length} of Debian's`;
  play(`${nodes}, ${one.lock === "none" ? "without a cluster lock" : "with a cluster lock"}`, one);
}
for (const one of COPIES_CASES) {
  const nodes = `${3 - one.stock.length} of our nodes and ${one.stock.length} of Debian's`;
  play(`read-only copies between ${nodes}`, one);
}
