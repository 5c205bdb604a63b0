/** The nodes of the cluster, from the nodes file or from the command that prints it. */
import { err, ok, type Result } from "../base/result.ts";
import { loadNodesFile, type NodesOutcome, nodesSource, parseNodes } from "../config/nodes.ts";
import { problemText } from "../config/problems.ts";
import type { ConfiguredNode, CtdbConfig, CtdbPaths } from "../config/types.ts";
import type { FileSystem } from "../platform/types/files.ts";
import type { Processes } from "../platform/types/processes.ts";
import { inheritedEnvironment } from "./environment.ts";

const COMMAND_TIMEOUT_MS = 30_000;
const COMMAND_LINES_MAX = 10_000;

export async function loadNodes(
  config: CtdbConfig,
  paths: CtdbPaths,
  files: FileSystem,
  processes: Processes,
): Promise<Result<readonly ConfiguredNode[]>> {
  const source = nodesSource(config, paths);
  if (source.kind === "file") return described(loadNodesFile(files, source.path));
  const [command, ...args] = source.argv;
  if (command === undefined) return err('Cannot read nodes: expected a command after "!"');
  const output = await outputOf(processes, [command, ...args]);
  if (!output.ok) return output;
  return described(parseNodes(output.value, `!${source.argv.join(" ")}`));
}

function described(outcome: NodesOutcome): Result<readonly ConfiguredNode[]> {
  if (outcome.ok) return ok(outcome.value);
  return err(`Cannot read nodes: ${outcome.error.map(problemText).join("; ")}`);
}

function outputOf(
  processes: Processes,
  argv: readonly [string, ...string[]],
): Promise<Result<string>> {
  const name = argv.join(" ");
  return new Promise((resolve) => {
    const lines: string[] = [];
    const child = processes.spawn({
      argv,
      env: inheritedEnvironment(),
      onOutputLine: (line, from) => {
        if (from === "stdout" && lines.length < COMMAND_LINES_MAX) lines.push(line);
      },
      onExit: ({ code, signal }) => {
        clearTimeout(timeout);
        if (code === 0) resolve(ok(lines.join("\n")));
        else resolve(err(`Cannot read nodes: "${name}" ended with ${signal ?? `status ${code}`}`));
      },
    });
    const timeout = setTimeout(() => {
      if (child.ok) child.value.kill("SIGKILL");
      resolve(err(`Cannot read nodes: "${name}" did not end within ${COMMAND_TIMEOUT_MS} ms`));
    }, COMMAND_TIMEOUT_MS);
    if (child.ok) return;
    clearTimeout(timeout);
    resolve(err(`Cannot read nodes: ${child.error.message}`));
  });
}
