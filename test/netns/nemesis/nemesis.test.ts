/** A few rounds of nemeses; many are for `run.ts` (docs/testing.md, "Nemeses"). */
import { expect, test } from "bun:test";
import { netnsPossible } from "../cluster.ts";
import { bindfsInstalled } from "./hanging_file_system.ts";
import { playNemesis } from "./nemesis.ts";

/** Those that found mistakes. */
const KINDS = [
  "kill-ctdbd",
  "stop-and-cut",
  "lock-lost-while-stopped",
  "isolate",
  "kill-recoveryHelper",
  "lock-hangs",
];
const ROUNDS_MS = 75_000;
const LIMIT_MS = 400_000;

test.skipIf(!netnsPossible() || !bindfsInstalled())(
  "a few rounds of nemeses: nothing acknowledged is lost, one leads, no address is anywhere twice",
  async () => {
    const seed = Number(process.env["CTDB_TEST_SEED"] ?? Date.now() % 1_000_000);
    process.stdout.write(`CTDB_TEST_SEED=${seed}\n`);
    const results = await playNemesis({
      ...{ rounds: KINDS.length, seed, nodes: 3, only: KINDS, untilMs: Date.now() + ROUNDS_MS },
      onRound: (number, { kind, wholeAfterMs }) => {
        process.stdout.write(
          `round ${number} ${kind}: whole after ${Math.round(wholeAfterMs)} ms\n`,
        );
      },
    });
    expect(
      results.flatMap(({ kind, done, wrong }) => wrong.map((each) => ({ kind, done, each }))),
    ).toEqual([]);
    expect(results.length).toBeGreaterThan(1);
  },
  LIMIT_MS,
);
