/** `ctdbd --check-config`: what a start would say of the files that it reads. Starts nothing, writes nothing. */
import { EINVAL } from "../base/errno.ts";
import { checkConfiguration, isRefused } from "../config/check.ts";
import { resolvePaths } from "../config/paths.ts";
import { problemText } from "../config/problems.ts";
import type { ThisMachine } from "../config/this_machine.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { SystemProcesses } from "../platform/node/processes.ts";
import type { Network } from "../platform/types/network.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { readNodes } from "./ctdbd_nodes.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";

/** The exit status. */
export async function checkStart(): Promise<number> {
  const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
  if (!paths.ok) {
    printErr(`${paths.error}\n`);
    return EINVAL;
  }
  const files = new SystemFiles();
  // A command may print the nodes.
  const loop = new EventLoop();
  const processes = new SystemProcesses(loop);
  const problems = await checkConfiguration(
    files,
    paths.value,
    (config) => readNodes(config, paths.value, files, processes),
    thisMachine(new LoopNetwork(loop)),
  );
  for (const problem of problems) printErr(`${problemText(problem)}\n`);
  if (problems.some(isRefused)) return EINVAL;
  printOut(`The configuration in "${paths.value.etcDirectory}" is valid\n`);
  return 0;
}

/** Undefined where the kernel does not list interfaces. */
function thisMachine(network: Network): ThisMachine | undefined {
  const interfaces = network.interfaces();
  if (!interfaces.ok) return undefined;
  return { interfaces: interfaces.value, hasInterface: (name) => network.hasInterface(name) };
}
