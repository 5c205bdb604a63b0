/** Seeds of ten virtual minutes of trouble, four nodes: no checker fires. */
import { afterAll, expect, test } from "bun:test";
import { simulate } from "../sim/simulate.ts";

const SEEDS = 60;
const SEEDS_WITH_COMMITS = 20;
/** Thousands of them are for `run.ts --weather --jobs 2`. */
const SEEDS_OF_WEATHER = 10;
const TROUBLE_MS = 10 * 60_000;
const SEED_LIMIT_MS = 60_000;

let virtualMs = 0;
const cpu = process.cpuUsage();

function judged(
  seed: number,
  kind: { readonly commits?: boolean; readonly weather?: boolean },
): void {
  const result = simulate({ seed, nodes: 4, virtualMs: TROUBLE_MS, ...kind });
  virtualMs += result.virtualMs;
  const { violation, log } = result;
  expect({ violation, log }).toEqual({ violation: undefined, log: [] });
}

for (let seed = 1; seed <= SEEDS; seed++) {
  const reproduce = `bun run test/sim/run.ts --seed ${seed} --log`;
  test(
    `simulate() finds nothing wrong with seed ${seed} (${reproduce})`,
    () => judged(seed, {}),
    SEED_LIMIT_MS,
  );
}

for (let seed = 1; seed <= SEEDS_WITH_COMMITS; seed++) {
  const reproduce = `bun run test/sim/run.ts --seed ${seed} --commits --log`;
  test(
    `simulate() finds nothing wrong with many commits and seed ${seed} (${reproduce})`,
    () => judged(seed, { commits: true }),
    SEED_LIMIT_MS,
  );
}

for (let seed = 1; seed <= SEEDS_OF_WEATHER; seed++) {
  const reproduce = `bun run test/sim/run.ts --seed ${seed} --weather --log`;
  test(
    `simulate() finds nothing wrong in the weather of seed ${seed} (${reproduce})`,
    () => judged(seed, { weather: true }),
    SEED_LIMIT_MS,
  );
}

afterAll(() => {
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  const rate = Math.round(virtualMs / 1000 / seconds);
  console.log(`${seconds.toFixed(0)} s of CPU, ${rate} virtual seconds per second of CPU`);
});
