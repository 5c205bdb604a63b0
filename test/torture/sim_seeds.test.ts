/** 100 seeds of ten virtual minutes of trouble, four nodes: no checker fires. */
import { afterAll, expect, test } from "bun:test";
import { simulate } from "../sim/simulate.ts";

const SEEDS = 100;
const TROUBLE_MS = 10 * 60_000;
const SEED_LIMIT_MS = 60_000;

let virtualMs = 0;
const cpu = process.cpuUsage();

for (let seed = 1; seed <= SEEDS; seed++) {
  const reproduce = `bun run test/sim/run.ts --seed ${seed} --log`;
  test(
    `simulate() finds nothing wrong with seed ${seed} (${reproduce})`,
    () => {
      const result = simulate({ seed, nodes: 4, virtualMs: TROUBLE_MS });
      virtualMs += result.virtualMs;
      expect({ violation: result.violation, log: result.log }).toEqual({
        violation: undefined,
        log: [],
      });
    },
    SEED_LIMIT_MS,
  );
}

afterAll(() => {
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  const rate = Math.round(virtualMs / 1000 / seconds);
  console.log(`${seconds.toFixed(0)} s of CPU, ${rate} virtual seconds per second of CPU`);
});
