/**
 * The most memory that each process of a cluster had resident while something was done, the short-lived ones among
 * them, and how much of it was its own: pages of database files are in the first number, which the kernel keeps
 * (VmHWM), and not in the second (RssAnon), which is sampled.
 */
import { writeFileSync } from "node:fs";
import type { BenchCluster, Figure } from "./figures.ts";
import { readOf } from "./process_tree.ts";

const SAMPLE_MS = 50;
const KIB_PER_MIB = 1024;

export interface Peak {
  readonly residentMib: number;
  readonly ownMib: number;
}

/** Of several processes of one kind the largest counts. */
export const PROCESS_KINDS = ["ctdbd", "recovery helper", "any other process"] as const;
export type ProcessKind = (typeof PROCESS_KINDS)[number];
export type Peaks = Readonly<Record<ProcessKind, Peak>>;

const unknownPeak: Peak = { residentMib: Number.NaN, ownMib: Number.NaN };
export const unknownPeaks: Peaks = {
  ctdbd: unknownPeak,
  "recovery helper": unknownPeak,
  "any other process": unknownPeak,
};

export class PeakMemory {
  readonly #cluster: BenchCluster;
  readonly #peaks = new Map<number, Peak & { readonly kind: ProcessKind; readonly role: string }>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** Measures from now on; what the processes had before does not count. */
  constructor(cluster: BenchCluster) {
    this.#cluster = cluster;
    for (const { pid } of this.#processes()) forgetPeak(pid);
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** Until now. */
  peaks(): Peaks {
    this.#sample();
    for (const [pid, { role, residentMib, ownMib }] of this.#peaks) {
      const sizes = `${residentMib.toFixed(0)} MiB, its own ${ownMib.toFixed(0)} MiB`;
      process.stderr.write(`  ${this.#cluster.kind} ${role} ${pid}: at most ${sizes}\n`);
    }
    const largest = (kind: ProcessKind, what: keyof Peak): number =>
      Math.max(0, ...[...this.#peaks.values()].filter((p) => p.kind === kind).map((p) => p[what]));
    const peak = (kind: ProcessKind): Peak => ({
      residentMib: largest(kind, "residentMib"),
      ownMib: largest(kind, "ownMib"),
    });
    return {
      ctdbd: peak("ctdbd"),
      "recovery helper": peak("recovery helper"),
      "any other process": peak("any other process"),
    };
  }

  #processes(): { pid: number; role: string; kind: ProcessKind }[] {
    return Array.from({ length: this.#cluster.nodes }, (_, pnn) => this.#cluster.processes(pnn))
      .flatMap((ofNode) => ofNode.map((entry, index) => ({ ...entry, first: index === 0 })))
      .map(({ pid, role, first }) => ({ pid, role, kind: first ? "ctdbd" : kindOf(role) }));
  }

  #sample(): void {
    for (const { pid, role, kind } of this.#processes()) {
      const status = readOf(pid, "status");
      const before = this.#peaks.get(pid);
      const residentMib = Math.max(before?.residentMib ?? 0, mib(status, "VmHWM"));
      const ownMib = Math.max(before?.ownMib ?? 0, mib(status, "RssAnon"));
      this.#peaks.set(pid, { kind, role, residentMib, ownMib });
    }
  }
}

function kindOf(role: string): ProcessKind {
  // The kernel keeps fifteen bytes of a name.
  return /^ctdb_recovery_h/.test(role) ? "recovery helper" : "any other process";
}

/** Of text of /proc/PID/status; 0 for a process that has gone. */
export function mib(status: string, field: "VmHWM" | "RssAnon"): number {
  const match = new RegExp(`^${field}:\\s+([0-9]+) kB`, "m").exec(status);
  return Number(match?.[1] ?? 0) / KIB_PER_MIB;
}

function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // It has ended, or it is not ours: its old peak counts, which only makes it look larger.
  }
}

/** The figures of what `during` is: `measure` does it once for all of them. */
export function peakFigures(
  during: string,
  measure: (cluster: BenchCluster) => Promise<Peaks>,
): readonly Figure[] {
  return PROCESS_KINDS.flatMap((kind) =>
    (["residentMib", "ownMib"] as const).map(
      (what): Figure => ({
        name: `${during}: peak memory of ${kind}${what === "ownMib" ? ", its own" : ""}`,
        unit: "MiB",
        better: "lower",
        measure: async (cluster) => (await measure(cluster))[kind][what],
      }),
    ),
  );
}
