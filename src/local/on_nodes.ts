/** Runs a command with the environment of one node after another, its output going straight through. */
import { spawn } from "node:child_process";
import type { LocalCluster } from "./local_cluster.ts";

/** The first exit status that is not 0; with several nodes, a line says whose output follows. */
export async function runOnNodes(
  cluster: LocalCluster,
  pnns: readonly number[],
  argv: readonly [string, ...string[]],
  sayNode: (line: string) => void,
): Promise<number> {
  let status = 0;
  for (const pnn of pnns) {
    const { node } = cluster.process(pnn);
    if (pnns.length > 1) sayNode(`>> NODE ${pnn}: ${node.address} <<`);
    const code = await runOn(cluster, pnn, argv);
    if (status === 0) status = code;
  }
  return status;
}

const NOT_FOUND = 127;

function runOn(
  cluster: LocalCluster,
  pnn: number,
  [program, ...args]: readonly [string, ...string[]],
): Promise<number> {
  return new Promise((resolve) => {
    const env = cluster.process(pnn).environment(process.env);
    const child = spawn(program, args, { env, stdio: "inherit" });
    child.on("error", (error) => {
      process.stderr.write(`Cannot run "${program}": ${error.message}\n`);
      resolve(NOT_FOUND);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
