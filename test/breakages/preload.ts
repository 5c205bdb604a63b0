/** Breaks the source before a test file loads it: `bun test --preload` with the name in the environment. */
import { loadMutant } from "../sim/mutants.ts";
import { BREAKAGES } from "./list.ts";
import { BREAKAGE_VARIABLE } from "./run_breakage.ts";

const name = process.env[BREAKAGE_VARIABLE];
const breakage = BREAKAGES.find((one) => one.name === name);
if (breakage === undefined) throw new Error(`${BREAKAGE_VARIABLE}: no breakage "${name}"`);
loadMutant(breakage);
