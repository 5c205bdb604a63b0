/** The gate: `npm run ok`. One line for each stage, the slowest decide the time; exit 1 on any failure. */
import { GATE_WIDTH, gateStages } from "./gate.ts";
import { runStages } from "./stage.ts";

const start = performance.now();
const outcomes = await runStages(gateStages(), GATE_WIDTH);
const failed = outcomes.filter((outcome) => outcome.failed > 0).length;
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(
  failed === 0 ? `gate ok in ${seconds} s` : `gate: ${failed} stages failed, ${seconds} s`,
);
process.exitCode = failed === 0 ? 0 : 1;
