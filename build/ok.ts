/** The gate: `npm run ok`. One line for each stage, the slowest decide the time; exit 1 on any failure. */
import { gateStages } from "./gate.ts";
import { runStages } from "./stage.ts";

/** Two cores: a third process fills the gaps in which the others wait. */
const WIDTH = 4;

const start = performance.now();
const outcomes = await runStages(gateStages(), WIDTH);
const failed = outcomes.filter((outcome) => outcome.failed > 0).length;
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(
  failed === 0 ? `gate ok in ${seconds} s` : `gate: ${failed} stages failed, ${seconds} s`,
);
process.exitCode = failed === 0 ? 0 : 1;
