/**
 * Each deliberately broken variant is caught within 200 seeds; in a process of its own, for modules
 * load once.
 */
import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { MUTANTS } from "../sim/mutant_list.ts";

const SEEDS = 200;
/** sim_seeds.test.ts runs them. */
const SOUND_SEEDS = 60;
const LIMIT_MS = 10 * 60_000;
const RUN = resolve(import.meta.dir, "../sim/run.ts");

for (const { name, breaks, disks, commits, weather, seed } of MUTANTS) {
  const isPlain = disks !== true && commits !== true && weather !== true;
  const options = ["--mutant", name, ...(isPlain ? ["--sound", String(SOUND_SEEDS)] : [])];

  test(
    `the variant ${name} is caught: ${breaks}`,
    async () => {
      const quick = seed === undefined ? undefined : await run(seed, 1, options);
      const { caughtBy, output } =
        quick?.caughtBy === undefined ? await run(1, SEEDS, options) : quick;
      if (caughtBy === undefined) console.log(output);
      expect(caughtBy ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(SEEDS);
      const how = /^seed [0-9]+: (.*)$/m.exec(output)?.[1];
      console.log(`${name}: by seed ${caughtBy}: ${how}`);
    },
    LIMIT_MS,
  );
}

async function run(
  seed: number,
  seeds: number,
  options: readonly string[],
): Promise<{ readonly caughtBy: number | undefined; readonly output: string }> {
  const range = ["--seed", String(seed), "--seeds", String(seeds)];
  const child = Bun.spawn([process.execPath, "run", RUN, ...range, ...options], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = await Promise.all([child.stdout, child.stderr].map((s) => new Response(s).text()));
  await child.exited;
  const output = texts.join("\n");
  const after = /^caught after ([0-9]+) seeds$/m.exec(output)?.[1];
  return { caughtBy: after === undefined ? undefined : seed + Number(after) - 1, output };
}
