/** A handful of seeds for the gate; all of them run in test/torture/sim_seeds.test.ts. */
import { expect, test } from "bun:test";
import { MUTANTS } from "./mutant_list.ts";
import { editedFiles } from "./mutants.ts";
import { simulate } from "./simulate.ts";

const MINUTE_MS = 60_000;
const WEATHER_LIMIT_MS = 60_000;

for (const seed of [3, 4]) {
  test(`simulate() finds nothing wrong with seed ${seed} in two minutes`, () => {
    const result = simulate({ seed, nodes: 4, virtualMs: 2 * MINUTE_MS });
    expect({ violation: result.violation, log: result.log }).toEqual({
      violation: undefined,
      log: [],
    });
    expect(result.increments).toBeGreaterThan(0);
  });
}

test("simulate() gives the same turns and the same log for the same seed, and others for another", () => {
  const runs = [5, 5, 6].map((seed) => {
    const lines: string[] = [];
    const onLogLine = (line: string) => {
      lines.push(line);
    };
    const { turns, increments } = simulate({ seed, nodes: 3, virtualMs: MINUTE_MS / 2, onLogLine });
    return { turns, increments, lines };
  });
  expect(runs[0]?.lines.length).toBeGreaterThan(100);
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[2]?.turns).not.toBe(runs[0]?.turns);
});

// Whoever changes such a line finds the new place for the variant, or a better variant.
test("every deliberately broken variant still finds its text", () => {
  for (const mutant of MUTANTS) expect(editedFiles(mutant).size).toBeGreaterThan(0);
});

test(
  "simulate() finds nothing wrong in the weather of a seed in three minutes",
  () => {
    const result = simulate({ seed: 1, nodes: 0, virtualMs: 3 * MINUTE_MS, weather: true });
    expect({ violation: result.violation, log: result.log }).toEqual({
      violation: undefined,
      log: [],
    });
    expect(result.faults).toBeGreaterThan(0);
  },
  WEATHER_LIMIT_MS,
);
