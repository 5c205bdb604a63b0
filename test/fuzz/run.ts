/**
 * Fuzzes the decoders:
 *
 *     bun test/fuzz/run.ts [--iterations N] [--seed S] [--target NAME] [--list]
 *
 * `--start K` begins at input K: what a failure prints to repeat it. Exits 1 when an oracle failed or
 * when memory grew.
 */
import { parseArgs } from "node:util";
import { fuzz, targetsNamed } from "./fuzz.ts";

const MEMORY_GROWTH_BYTES_MAX = 10 * 1024 * 1024;

function wholeNumber(text: string, option: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${option}: expected a whole number, got "${text}"`);
}

function main(): number {
  const { values } = parseArgs({
    options: {
      iterations: { type: "string", default: "200000" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 0x100000000)) },
      start: { type: "string", default: "0" },
      target: { type: "string" },
      list: { type: "boolean", default: false },
    },
  });
  if (values.list) {
    for (const { name } of targetsNamed(values.target)) console.log(name);
    return 0;
  }
  const seed = wholeNumber(values.seed, "seed");
  const start = wholeNumber(values.start, "start");
  const iterations = wholeNumber(values.iterations, "iterations");
  const { target } = values;
  console.log(`seed ${seed}, ${iterations} inputs, ${targetsNamed(target).length} targets`);

  // The first inputs warm up caches and the compiler; what grows after them is a leak.
  const warmUp = Math.min(iterations, 20000);
  const reports = [fuzz({ seed, start, iterations: warmUp, target })];
  const before = liveBytes();
  const startMs = performance.now();
  const rest = iterations - warmUp;
  reports.push(fuzz({ seed, start: start + warmUp, iterations: rest, target }));
  const seconds = (performance.now() - startMs) / 1000;
  const grown = liveBytes() - before;

  const failures = reports.flatMap((report) => report.failures);
  for (const failure of failures) {
    console.log(`\n${failure.target}: ${failure.reason}`);
    console.log(`  bytes  ${Buffer.from(failure.bytes.subarray(0, 256)).toString("hex")}`);
    console.log(`  repeat ${failure.command}`);
  }
  const sum = (count: "inputs" | "accepted" | "refused") =>
    reports.reduce((total, report) => total + report[count], 0);
  const rate = rest > 0 ? `, ${Math.round(rest / seconds)} inputs/s` : "";
  console.log(
    `${sum("inputs")} inputs: ${sum("accepted")} accepted, ${sum("refused")} refused, ` +
      `${failures.length} failed${rate}, live memory ${(grown / 1048576).toFixed(1)} MiB more`,
  );
  if (grown > MEMORY_GROWTH_BYTES_MAX) console.log("memory grew: something keeps what it decoded");
  return failures.length > 0 || grown > MEMORY_GROWTH_BYTES_MAX ? 1 : 0;
}

function liveBytes(): number {
  Bun.gc(true);
  const usage = process.memoryUsage();
  return usage.heapUsed + usage.external;
}

process.exitCode = main();
