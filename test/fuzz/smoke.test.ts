import { expect, test } from "bun:test";
import { err, ok } from "../../src/base/result.ts";
import { fuzz } from "./fuzz.ts";
import { verdict } from "./oracles.ts";
import { FUZZ_TARGETS, type FuzzTarget } from "./registry.ts";
import { SeededRandom, testSeed } from "./seeded_random.ts";

test("every decoder withstands 8 000 mutated inputs", () => {
  const report = fuzz({ seed: testSeed(), iterations: 8000 });
  expect(
    report.failures.map(({ target, reason, command }) => ({ target, reason, command })),
  ).toEqual([]);
  // Both outcomes occur, or the mutations miss their aim.
  expect(report.accepted).toBeGreaterThan(report.inputs / 20);
  expect(report.refused).toBeGreaterThan(report.inputs / 5);
});

test("every decoder accepts its own samples", () => {
  const seed = testSeed();
  const random = new SeededRandom(seed);
  for (const target of FUZZ_TARGETS) {
    for (let i = 0; i < 5; i++) {
      const sample = target.sample(random);
      const outcome = target.reencode(sample);
      expect({ seed, target: target.name, outcome: outcome.ok ? "" : outcome.error }).toEqual({
        seed,
        target: target.name,
        outcome: "",
      });
      if (outcome.ok) expect(Buffer.compare(outcome.value, sample)).toBe(0);
    }
  }
});

const broken: readonly [string, FuzzTarget["reencode"], string][] = [
  [
    "throws",
    () => {
      throw new RangeError("out of bounds");
    },
    "threw",
  ],
  ["allocates by count", () => ok(new Uint8Array(100000)), "became a value of"],
  [
    "changes its input",
    (bytes) => {
      bytes[0] = 7;
      return err("no");
    },
    "changed its input",
  ],
  ["gives no reason", () => err(""), "without a reason"],
  [
    "encodes what it refuses",
    (bytes) => (bytes.length === 8 ? ok(bytes.slice(1)) : err("odd")),
    "encoded itself",
  ],
  ["loses something each time", (bytes) => ok(bytes.slice(1)), "other bytes"],
];

for (const [name, reencode, reason] of broken) {
  test(`verdict() catches a decoder that ${name}`, () => {
    const target: FuzzTarget = { name, reencode, sample: () => new Uint8Array(8) };
    expect(verdict(target, new Uint8Array(8))).toContain(reason);
  });
}
