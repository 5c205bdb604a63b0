/** How long the roles of a packaged executable take to start. */
import { basename, join } from "node:path";

const RUNS = 7;

/** `--help` loads the role's module and prints: what every start pays, and nothing of the work. */
export async function printStartTimes(root: string, roles: readonly string[]): Promise<void> {
  console.log(`start to end of "--help", median of ${RUNS}:`);
  for (const path of roles) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) times.push(await timeOf(join(root, path)));
    const median = times.sort((a, b) => a - b)[(RUNS - 1) / 2] ?? 0;
    console.log(`${median.toFixed(1).padStart(6)} ms  ${basename(path)}`);
  }
}

async function timeOf(program: string): Promise<number> {
  const start = performance.now();
  const child = Bun.spawn([program, "--help"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  const code = await child.exited;
  // A role that has no help is measured by the text that it refuses.
  if (child.signalCode !== null)
    throw new Error(`${program} --help: ended by ${child.signalCode}, ${code}`);
  return performance.now() - start;
}
