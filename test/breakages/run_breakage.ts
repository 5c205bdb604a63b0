/** Runs the tests that shall catch a breakage, in a process of its own: modules load once. */
import { resolve } from "node:path";
import type { Breakage } from "./breakage.ts";

export const BREAKAGE_VARIABLE = "CTDB_TEST_BREAKAGE";
const ROOT = resolve(import.meta.dir, "../..");
const PRELOAD = resolve(import.meta.dir, "preload.ts");
/** What hangs because of a breakage is caught, too. */
const LIMIT_MS = 60_000;

export interface BreakageOutcome {
  readonly caught: boolean;
  /** The first tests that failed, or what was printed when none did. */
  readonly how: string;
}

export async function runBreakage(breakage: Breakage): Promise<BreakageOutcome> {
  const paths = breakage.tests.map((path) => `./${path}`);
  const child = Bun.spawn([process.execPath, "test", "--bail", "--preload", PRELOAD, ...paths], {
    cwd: ROOT,
    env: { ...process.env, [BREAKAGE_VARIABLE]: breakage.name },
    stdout: "pipe",
    stderr: "pipe",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const texts = await Promise.all([child.stdout, child.stderr].map((s) => new Response(s).text()));
  await child.exited;
  const output = texts.join("\n");
  if (child.signalCode === "SIGKILL") return { caught: true, how: `hangs for ${LIMIT_MS} ms` };
  const failed = [...output.matchAll(/^\(fail\) (.*?)(?: \[[0-9.]+ms\])?$/gm)].map(
    ([, name]) => name,
  );
  // A test file that cannot be loaded has caught nothing: the breakage itself is broken.
  const caught = failed.length > 0 && !/^error: .*(Unexpected|Expected|parse)/m.test(output);
  return {
    caught,
    how: caught ? [...new Set(failed)].slice(0, 3).join("; ") : output.slice(-4000),
  };
}
