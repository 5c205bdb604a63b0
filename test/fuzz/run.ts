/** Fuzzes the decoders; USAGE says how. Exits 1 when an oracle failed or when memory grew. */
import { parseArgs } from "node:util";
import { parsedOptions, wholeNumber } from "../support/options.ts";
import { fuzz, targetsNamed } from "./fuzz.ts";

const MEMORY_GROWTH_BYTES_MAX = 10 * 1024 * 1024;

const USAGE = `bun run test/fuzz/run.ts [OPTIONS]
  --iterations N  inputs (200000)
  --seed S        otherwise a new one each time
  --start K       begins at input K: what a failure prints to repeat it
  --target NAME   only what is named so
  --list          names what is fuzzed`;

function main(): number {
  const { values } = parsedOptions(USAGE, () =>
    parseArgs({
      options: {
        iterations: { type: "string", default: "200000" },
        seed: { type: "string", default: String(Math.floor(Math.random() * 0x100000000)) },
        start: { type: "string", default: "0" },
        target: { type: "string" },
        list: { type: "boolean", default: false },
      },
    }),
  );
  if (values.list) {
    for (const { name } of targetsNamed(values.target)) console.log(name);
    return 0;
  }
  const seed = wholeNumber(USAGE, "seed", values.seed, 0);
  const start = wholeNumber(USAGE, "start", values.start, 0);
  const iterations = wholeNumber(USAGE, "iterations", values.iterations, 0);
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
