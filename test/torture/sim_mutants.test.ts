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

for (const { name, breaks, disks, commits, weather } of MUTANTS) {
  const isPlain = disks !== true && commits !== true && weather !== true;

  test(
    `the variant ${name} is caught: ${breaks}`,
    async () => {
      const child = Bun.spawn(
        [
          ...[process.execPath, "run", RUN, "--seeds", String(SEEDS), "--mutant", name],
          ...(isPlain ? ["--sound", String(SOUND_SEEDS)] : []),
        ],
        { stdout: "pipe", stderr: "pipe" },
      );
      const output = await new Response(child.stdout).text();
      const errors = await new Response(child.stderr).text();
      await child.exited;
      const caught = /^caught after ([0-9]+) seeds$/m.exec(output);
      if (caught === null) console.log(output, errors);
      expect(Number(caught?.[1] ?? Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(SEEDS);
      const how = /^seed [0-9]+: (.*)$/m.exec(output)?.[1];
      console.log(`${name}: after ${caught?.[1]} seeds: ${how}`);
    },
    LIMIT_MS,
  );
}
