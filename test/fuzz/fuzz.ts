/**
 * The fuzzing loop. Input number n depends on the seed and n only, so that a failure is repeated by
 * running that one input.
 */
import { mutate } from "./mutations.ts";
import { verdict } from "./oracles.ts";
import { FUZZ_TARGETS, type FuzzTarget } from "./registry.ts";
import { SeededRandom } from "./seeded_random.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly iterations: number;
  /** First input; 0 unless a single one is repeated. */
  readonly start?: number;
  /** Part of the names of the targets; all when left out. */
  readonly target?: string | undefined;
}

export interface FuzzFailure {
  readonly target: string;
  readonly input: number;
  readonly reason: string;
  readonly bytes: Uint8Array;
  readonly command: string;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly failures: readonly FuzzFailure[];
}

const FAILURES_MAX = 10;
const VALID_SHARE = 0.05;

export function fuzz(options: FuzzOptions): FuzzReport {
  const targets = targetsNamed(options.target);
  const start = options.start ?? 0;
  const failures: FuzzFailure[] = [];
  let accepted = 0;
  let input = start;
  for (; input < start + options.iterations && failures.length < FAILURES_MAX; input++) {
    const { target, bytes, valid } = makeInput(targets, options.seed, input);
    let reason = verdict(target, bytes);
    const outcome = reason === undefined ? target.reencode(bytes) : undefined;
    if (outcome?.ok) accepted += 1;
    if (valid && outcome !== undefined && !outcome.ok)
      reason = `refused a valid input: ${outcome.error}`;
    if (reason === undefined) continue;
    const command =
      `bun test/fuzz/run.ts --seed ${options.seed} --start ${input} --iterations 1` +
      (options.target === undefined ? "" : ` --target ${options.target}`);
    failures.push({ target: target.name, input, reason, bytes, command });
  }
  const inputs = input - start;
  return { inputs, accepted, refused: inputs - accepted - failures.length, failures };
}

function makeInput(targets: readonly FuzzTarget[], seed: number, input: number) {
  const random = new SeededRandom((seed ^ Math.imul(input + 1, 0x9e3779b1)) >>> 0);
  const target = targets[input % targets.length];
  if (target === undefined) throw new Error("no target");
  const sample = target.sample(random);
  const valid = random.chance(VALID_SHARE);
  const bytes = valid ? sample : mutate(random, sample, target.sample(random));
  return { target, bytes, valid };
}

export function targetsNamed(part: string | undefined): readonly FuzzTarget[] {
  const targets = FUZZ_TARGETS.filter(({ name }) => part === undefined || name.includes(part));
  if (targets.length > 0) return targets;
  throw new Error(`no fuzz target has "${part}" in its name; see test/fuzz/run.ts --list`);
}
