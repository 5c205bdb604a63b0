/** One deliberate breakage, and what notices it. */
import type { Mutant } from "../sim/mutants.ts";

export interface Breakage extends Mutant {
  /** The quick tests that catch it. */
  readonly tests: readonly string[];
}
