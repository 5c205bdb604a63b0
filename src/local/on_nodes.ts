/** Runs a command with the environment of one node after another, its output going straight through. */
import { spawn } from "node:child_process";
import { type Argv, execBytes } from "../base/exec_bytes.ts";
import type { LocalNode } from "./cluster_description.ts";
import type { LocalCluster } from "./local_cluster.ts";

export interface NodeCommand {
  readonly argv: Argv;
  /** The environment to which each node's own variables are added. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** Lines of our own, between the output of the nodes. */
  readonly says: { out(line: string): void; err(line: string): void };
  /** Before the output of one of several nodes; a line on standard output without. */
  readonly announce?: (node: LocalNode) => void;
}

/** The first exit status that is not 0; with several nodes, a line says whose output follows. */
export async function runOnNodes(
  cluster: LocalCluster,
  pnns: readonly number[],
  command: NodeCommand,
): Promise<number> {
  let status = 0;
  for (const pnn of pnns) {
    const { node } = cluster.process(pnn);
    if (pnns.length > 1) {
      if (command.announce !== undefined) command.announce(node);
      else command.says.out(`>> NODE ${pnn}: ${node.address} <<`);
    }
    const code = await runOn(cluster, pnn, command);
    if (status === 0) status = code;
  }
  return status;
}

const NOT_FOUND = 127;

function runOn(
  cluster: LocalCluster,
  pnn: number,
  { argv, inherited, says }: NodeCommand,
): Promise<number> {
  return new Promise((resolve) => {
    const env = cluster.process(pnn).environment(inherited);
    const [program, ...args] = execBytes(argv, env);
    const child = spawn(program, args, { env, stdio: "inherit" });
    child.on("error", (error) => {
      says.err(`Cannot run "${program}": ${error.message}`);
      resolve(NOT_FOUND);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
