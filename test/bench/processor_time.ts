/**
 * Processor time of processes, user and system, of all their threads and of those that have ended: the
 * scheduler's count in nanoseconds. /proc/PID/stat shows the same in hundredths of a second, and
 * /proc/PID/schedstat the main thread alone. What the children of a process use is theirs, and is taken apart:
 * where our ctdbd waits for a lock in a thread, a stock one starts a program.
 */
import { CLOCK_FUNCTIONS } from "../../src/platform/libc/functions.ts";
import { nativeMemory, openLibc } from "../../src/platform/libc/libc.ts";
import { readOf } from "./process_tree.ts";

const libc = openLibc(CLOCK_FUNCTIONS);
/** struct timespec. */
const time = nativeMemory(16);
/** Of the kernel's kinds of processor clocks, the scheduler's (CPUCLOCK_SCHED). */
const SCHEDULER = 2;
/** Fields of /proc/PID/stat, counted from the state. */
const CUTIME = 13;
const CSTIME = 14;
const MS_PER_TICK = 10;

/** Milliseconds since the process began. Throws when it has ended. */
export function processorMs(pid: number): number {
  // As clock_getcpuclockid(3) makes the number.
  const clock = (~pid << 3) | SCHEDULER;
  if (libc.clock_gettime(clock, time.address) !== 0) {
    throw new Error(`Cannot read the processor time of process ${pid}: it does not run`);
  }
  const { view } = time;
  return Number(view.getBigInt64(0, true)) * 1e3 + Number(view.getBigInt64(8, true)) / 1e6;
}

/** Of all children that have ended (and their children), in steps of 10 ms. */
export function endedChildrenMs(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[CUTIME]) + Number(fields[CSTIME])) * MS_PER_TICK;
}

export interface Metered {
  readonly operations: number;
  readonly elapsedMs: number;
  /** Of the processes together. */
  readonly processorMs: number;
  /** Of what they had started and what ended meanwhile. */
  readonly childrenMs: number;
}

export function addMetered(parts: readonly Metered[]): Metered {
  const total = (field: keyof Metered) => sum(parts.map((part) => part[field]));
  return {
    operations: total("operations"),
    elapsedMs: total("elapsedMs"),
    processorMs: total("processorMs"),
    childrenMs: total("childrenMs"),
  };
}

/** Runs `section`, which tells how many operations it did, and takes the time of these processes. */
export async function metered(
  pids: readonly number[],
  section: () => Promise<number>,
): Promise<Metered> {
  const used = () => ({
    processorMs: sum(pids.map(processorMs)),
    childrenMs: sum(pids.map((pid) => endedChildrenMs(readOf(pid, "stat")))),
  });
  const before = used();
  const started = performance.now();
  const operations = await section();
  const elapsedMs = performance.now() - started;
  const after = used();
  return {
    operations,
    elapsedMs,
    processorMs: after.processorMs - before.processorMs,
    childrenMs: after.childrenMs - before.childrenMs,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
