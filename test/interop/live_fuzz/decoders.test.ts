/** 200 000 fuzzed inputs on the decoders, in a process of their own so that its memory can be compared. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { testSeed } from "../../fuzz/seeded_random.ts";
import { runCommand } from "../../support/command.ts";
import { PROJECT } from "../../support/source_tree.ts";

const TIMEOUT_MS = 120_000;

test(
  "the decoders withstand 200 000 fuzzed inputs",
  async () => {
    const options = ["--iterations", "200000", "--seed", String(testSeed())];
    const program = join(PROJECT, "test/fuzz/run.ts");
    const run = await runCommand([process.execPath, "run", program, ...options], {
      timeoutMs: TIMEOUT_MS,
    });
    // Its output names the seed, and for a failure the bytes and the command that repeats it.
    expect(run.stdout).toMatch(/^200000 inputs: .* 0 failed/m);
    expect({ code: run.code, stdout: run.code === 0 ? "" : run.stdout }).toEqual({
      code: 0,
      stdout: "",
    });
  },
  TIMEOUT_MS,
);
