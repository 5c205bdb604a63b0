/** Several processes that share the seeds of one call of `run.ts`: every Nth is for one of them. */
import { resolve } from "node:path";
import { addTotals, type Totals, totalsText } from "./run_totals.ts";

const RUN = resolve(import.meta.dir, "run.ts");

/** What each of them is told anew. */
export const SHARED_OUT: readonly string[] = ["--seed", "--seeds", "--jobs", "--every"];

/** Prints what they print, and one line for all of them; returns the exit code. */
export async function runJobs(
  seeds: { readonly first: number; readonly count: number; readonly jobs: number },
  options: readonly string[],
): Promise<number> {
  const totals: Totals[] = [];
  const numbers = Array.from({ length: Math.min(seeds.jobs, seeds.count) }, (_, job) => job);
  const codes = await Promise.all(
    numbers.map(async (job) => {
      const own = [
        ["--seed", seeds.first + job],
        ["--seeds", seeds.count - job],
        ["--every", seeds.jobs],
      ];
      const child = Bun.spawn(
        [process.execPath, "run", RUN, ...options, ...own.flat().map(String)],
        {
          stdio: ["ignore", "inherit", "inherit"],
          ipc: (message: Totals) => {
            totals.push(message);
          },
        },
      );
      return await child.exited;
    }),
  );
  console.log(totalsText(addTotals(totals)));
  if (totals.length < numbers.length) console.log(`${numbers.length - totals.length} jobs died`);
  return codes.every((code) => code === 0) ? 0 : 1;
}

/** `--name value` and `--name=value` of these are left out. */
export function withoutOptions(argv: readonly string[], names: readonly string[]): string[] {
  const left: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (names.includes(word)) at += 1;
    else if (!names.some((name) => word.startsWith(`${name}=`))) left.push(word);
  }
  return left;
}
