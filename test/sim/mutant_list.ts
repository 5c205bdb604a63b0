/** The broken variants. Each must be caught within 200 seeds (test/sim/mutants.test.ts says how often). */
import type { Mutant } from "./mutants.ts";

export const MUTANTS: readonly Mutant[] = [];
