/** What the manual says of a command, beside its row in the table of commands. */
import type { Block } from "../../base/prose.ts";

export interface Example {
  /** As it is typed. */
  readonly line: string;
  /** What it prints, where that helps. */
  readonly output?: string;
}

export interface CommandManual {
  /** What it does, and what it prints. */
  readonly about: readonly Block[];
  /** Where the exit status says more than whether it worked. */
  readonly status?: string;
  readonly examples: readonly [Example, ...Example[]];
}

/** Commands of one subject: a section of ctdb(1). */
export interface Subject {
  readonly title: string;
  readonly commands: Readonly<Record<string, CommandManual>>;
}
