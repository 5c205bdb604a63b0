/**
 * Rounds of nemeses against the real executable, as root:
 * `bun run test/netns/nemesis/run.ts [--rounds N] [--seed S] [--nodes 3..5] [--only KIND[,KIND…]] [--seconds N]`.
 * A line a round; the status is 1 when one has gone wrong.
 */
import { parseArgs } from "node:util";
import { playNemesis } from "./nemesis.ts";
import type { RoundResult } from "./round.ts";

const ROUNDS = 20;
const NODES = 3;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: String(ROUNDS) },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    nodes: { type: "string", default: String(NODES) },
    only: { type: "string" },
    seconds: { type: "string" },
  },
});

function tell(number: number, result: RoundResult): void {
  const { kind, done, wrong, wholeAfterMs, keys, survivors, recoveries } = result;
  const verdict = wrong.length === 0 ? "ok" : "WRONG";
  process.stdout.write(
    `round ${number} ${kind}: ${verdict}, whole after ${(wholeAfterMs / 1000).toFixed(1)} s, ${recoveries} recoveries, survivors ${survivors.join(" ")}, ${keys} keys watched; ${done.join(", ")}\n`,
  );
  for (const each of wrong) process.stdout.write(`  ${each}\n`);
}

const { seed, seconds } = values;
process.stdout.write(`seed ${seed}, ${values.nodes} nodes\n`);
const results = await playNemesis({
  rounds: Number(values.rounds),
  seed: Number(seed),
  nodes: Number(values.nodes),
  only: values.only?.split(","),
  ...(seconds === undefined ? {} : { untilMs: Date.now() + Number(seconds) * 1000 }),
  onRound: tell,
});
const wrong = results.filter((each) => each.wrong.length > 0).length;
process.stdout.write(`${results.length} rounds, ${wrong} wrong\n`);
process.exit(wrong === 0 ? 0 : 1);
