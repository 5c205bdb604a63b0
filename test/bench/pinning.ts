/**
 * The whole run on one processor, this program with all that it starts: then nobody's turn on the other one
 * is in a figure, and repeats differ by a few percent where otherwise they differ by a quarter.
 */
import { readFileSync } from "node:fs";
import { runCommand } from "../support/command.ts";

const SAMPLE_MS = 500;

/** Binds this process, and so what it will start, to the least busy processor that it may use. */
export async function bindToOneProcessor(): Promise<number> {
  const before = parseIdle(readFileSync("/proc/stat", "utf8"));
  await Bun.sleep(SAMPLE_MS);
  const after = parseIdle(readFileSync("/proc/stat", "utf8"));
  const processor = mostIdle(before, after, allowedProcessors());
  // All threads of this program: those that it will start inherit.
  const argv = ["taskset", "--all-tasks", "--cpu-list", "--pid", `${processor}`, `${process.pid}`];
  const { code, stderr } = await runCommand(argv);
  const [bound, ...others] = allowedProcessors();
  if (code !== 0 || bound !== processor || others.length > 0) {
    throw new Error(`Cannot bind the benchmark to processor ${processor}: ${stderr}`);
  }
  return processor;
}

function allowedProcessors(): readonly number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return parseProcessorList(list?.[1] ?? "");
}

/** "0-2,5" */
export function parseProcessorList(text: string): readonly number[] {
  return text.split(",").flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Ticks that each processor was idle, from /proc/stat. */
export function parseIdle(stat: string): ReadonlyMap<number, number> {
  const lines = stat.matchAll(/^cpu([0-9]+) [0-9]+ [0-9]+ [0-9]+ ([0-9]+)/gm);
  return new Map([...lines].map(([, processor, idle]) => [Number(processor), Number(idle)]));
}

/** The last one of `allowed` if several were idle for the same time: the first handles interrupts. */
export function mostIdle(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  allowed: readonly number[],
): number {
  const idle = (processor: number) => (after.get(processor) ?? 0) - (before.get(processor) ?? 0);
  const [first, ...others] = allowed;
  if (first === undefined) throw new Error("this process may use no processor");
  return others.reduce((best, other) => (idle(other) >= idle(best) ? other : best), first);
}
