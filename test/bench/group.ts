/** A part of the benchmark that is run by itself. */
import type { Results } from "./results.ts";

export interface Group {
  /** Of all its figures. */
  readonly names: readonly string[];
  /** How often each figure is measured when nobody says. */
  readonly rounds: number;
  /** What the two columns of the table are, where they are not our nodes and Debian's. */
  readonly columns?: readonly [ours: string, stock: string];
  /** What keeps it from running here. */
  missing(): string | undefined;
  measure(plan: Plan, results: Results): Promise<void>;
}

export interface Plan {
  readonly rounds: number;
  /** Whether a figure is to be measured, by its name. */
  wanted(name: string): boolean;
}
