/**
 * Runs the stages of the gate and of the full suite: commands and groups of `bun test`, a few at a time,
 * one line each, and their output when they fail.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";

export const PROJECT = normalize(join(import.meta.dir, ".."));
export const TOOLS = join(PROJECT, "node_modules/.bin");

export interface Stage {
  readonly name: string;
  /** A command: a path in the project, or a name in node_modules/.bin. */
  readonly command?: readonly string[];
  /** Folders or files with tests; none found is a pass of nothing. */
  readonly tests?: readonly string[];
  /** So many processes share the files of the tests. */
  readonly processes?: number;
  /** Names of stages that must have passed before. */
  readonly after?: readonly string[];
  readonly timeoutMs?: number;
  /** Beside what all have. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
  readonly seconds: number;
  readonly output: string;
}

/** For a test that names no limit of its own: a hang, also on a busy machine. */
const TEST_TIMEOUT_MS = 120_000;
const PIPES_GRACE_MS = 5_000;
const STAGE_TIMEOUT_MS = 20 * 60_000;

/** Runs all stages, at most `width` at once, printing a line when one ends. */
export async function runStages(stages: readonly Stage[], width: number): Promise<Outcome[]> {
  const waiting = [...stages];
  const running = new Map<string, Promise<void>>();
  const outcomes: Outcome[] = [];
  const ended = (name: string) => outcomes.find((outcome) => outcome.name === name);
  const ready = (stage: Stage) => (stage.after ?? []).every((name) => ended(name) !== undefined);
  while (waiting.length > 0 || running.size > 0) {
    const next = running.size < width ? waiting.findIndex(ready) : -1;
    if (next < 0) {
      if (running.size === 0) throw new Error(`stages wait for each other: ${waiting[0]?.name}`);
      await Promise.race(running.values());
      continue;
    }
    const [stage] = waiting.splice(next, 1) as [Stage];
    const blocked = (stage.after ?? []).find((name) => (ended(name)?.failed ?? 0) > 0);
    const work =
      blocked === undefined ? runStage(stage) : Promise.resolve(blockedBy(stage, blocked));
    const finished = work.then((outcome) => {
      outcomes.push(outcome);
      running.delete(stage.name);
      report(outcome);
    });
    running.set(stage.name, finished);
  }
  return outcomes;
}

function blockedBy(stage: Stage, name: string): Outcome {
  const output = `not run: "${name}" failed\n`;
  return { name: stage.name, passed: 0, failed: 1, skipped: [], seconds: 0, output };
}

async function runStage(stage: Stage): Promise<Outcome> {
  const start = performance.now();
  const { timeoutMs = STAGE_TIMEOUT_MS, environment = {}, processes = 1 } = stage;
  const options = { timeoutMs, environment };
  const result =
    stage.command === undefined
      ? await runTests(stage.tests ?? [], processes, options)
      : await runCommand(stage.command, options);
  return { name: stage.name, seconds: (performance.now() - start) / 1000, ...result };
}

type Counts = Omit<Outcome, "name" | "seconds">;
type RunOptions = Required<Pick<Stage, "timeoutMs" | "environment">>;

async function runCommand(command: readonly string[], options: RunOptions): Promise<Counts> {
  const { code, output } = await run(command, options);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [], output };
}

async function runTests(
  paths: readonly string[],
  processes: number,
  options: RunOptions,
): Promise<Counts> {
  const present = paths.filter((path) => holdsTests(join(PROJECT, path)));
  if (present.length === 0) return { passed: 0, failed: 0, skipped: [], output: "" };
  const directory = mkdtempSync(join(tmpdir(), "ctdb-suite-"));
  try {
    const report = join(directory, "report.xml");
    const filters = present.map((path) => `./${path}`);
    const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
    const limit = `--timeout=${TEST_TIMEOUT_MS}`;
    const shared = processes > 1 ? [`--parallel=${processes}`, "--no-isolate"] : [];
    const args = [limit, ...shared, ...reporter, ...filters];
    const { code, output } = await run(["bun", "test", ...args], options);
    const counts = existsSync(report) ? readReport(readFileSync(report, "utf8")) : undefined;
    if (counts === undefined) return { passed: 0, failed: 1, skipped: [], output };
    // A file that does not load fails the run without failing a test.
    const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
    return { passed: counts.passed, failed, skipped: counts.skipped, output };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function holdsTests(path: string): boolean {
  if (!existsSync(path)) return false;
  if (path.endsWith(".test.ts")) return true;
  const names = readdirSync(path, { recursive: true }) as string[];
  return names.some((name) => name.endsWith(".test.ts"));
}

function readReport(xml: string): Omit<Counts, "output"> | undefined {
  const totals =
    /<testsuites [^>]*\btests="(\d+)"[^>]*\bfailures="(\d+)"[^>]*\bskipped="(\d+)"/.exec(xml);
  if (totals === null) return undefined;
  const [tests, failed, skippedCount] = totals.slice(1).map(Number) as [number, number, number];
  const skipped: string[] = [];
  for (const [, name] of xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped/g)) {
    skipped.push(unescapeXml(name as string));
  }
  while (skipped.length < skippedCount) skipped.push("(a test without a name in the report)");
  return { passed: tests - failed - skippedCount, failed, skipped };
}

function unescapeXml(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** Runs a command in the project's root, both outputs in one text. */
async function run(
  command: readonly string[],
  { timeoutMs, environment }: RunOptions,
): Promise<{ code: number; output: string }> {
  const [program, ...args] = command as [string, ...string[]];
  const path = program.includes("/") ? join(PROJECT, program) : join(TOOLS, program);
  if (!existsSync(path)) return { code: 1, output: `expected the program "${path}"\n` };
  const env = {
    ...process.env,
    ...environment,
    NO_COLOR: "1",
    DENO_DIR: join(PROJECT, "node_modules/.cache/deno"),
    DENO_NO_UPDATE_CHECK: "1",
  };
  const child = Bun.spawn([path, ...args], {
    cwd: PROJECT,
    env,
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const stdout: string[] = [];
  const stderr: string[] = [];
  const drained = Promise.all([collect(child.stdout, stdout), collect(child.stderr, stderr)]);
  const code = await child.exited;
  clearTimeout(timer);
  // What a failed test has left behind may hold the pipes open.
  await within(drained, PIPES_GRACE_MS);
  const killed = child.signalCode === null ? "" : `ended by ${child.signalCode}\n`;
  const output = `${stdout.join("")}${stderr.join("")}${killed}`;
  return { code: child.signalCode === null ? code : 1, output };
}

/** Until it is done, or that long; no timer is left that would keep this process. */
async function within(work: Promise<unknown>, limitMs: number): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, limitMs);
  await Promise.race([work, limit.promise]);
  clearTimeout(timer);
}

async function collect(stream: ReadableStream<Uint8Array>, chunks: string[]): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) chunks.push(decoder.decode(chunk, { stream: true }));
}

function report(outcome: Outcome): void {
  const verdict = outcome.failed > 0 ? "FAILED" : "ok";
  const skipped = outcome.skipped.length > 0 ? `, ${outcome.skipped.length} skipped` : "";
  const counts = `${outcome.passed} passed, ${outcome.failed} failed${skipped}`;
  console.log(
    `${verdict.padEnd(7)}${outcome.name.padEnd(22)}${outcome.seconds.toFixed(1).padStart(6)} s  ${counts}`,
  );
  if (outcome.failed > 0) console.log(failuresOf(outcome.output));
}

const FAILURE_LINES_MAX = 200;

/** Lines that name a failed test or its error. */
const FAILURE_HEADLINE = /^(\(fail\)|\w*[eE]rror:)/;
const HEADLINES_MAX = 20;

/**
 * What a failed stage said, without the lines of tests that passed: first what failed, for a reader who gets
 * only the beginning, then the end of all of it.
 */
function failuresOf(output: string): string {
  const said = output.split("\n").filter((line) => !/^(\(pass\)|.*\.test\.ts:$|$)/.test(line));
  const headlines = said.filter((line) => FAILURE_HEADLINE.test(line)).slice(0, HEADLINES_MAX);
  const cut = said.length - FAILURE_LINES_MAX;
  const shown = cut > 0 ? [`… ${cut} lines …`, ...said.slice(-FAILURE_LINES_MAX)] : said;
  return [...headlines, ...shown].map((line) => `    ${line}`).join("\n");
}
