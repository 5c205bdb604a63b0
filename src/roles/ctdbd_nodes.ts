/** The nodes of the cluster, from the nodes file or from the command that prints it. */
import { err, ok, type Result } from "../base/result.ts";
import { loadNodesFile, type NodesOutcome, nodesSource, parseNodes } from "../config/nodes.ts";
import { ProblemList, problemText } from "../config/problems.ts";
import type { ConfiguredNode, CtdbConfig, CtdbPaths } from "../config/types.ts";
import type { NodesListSource } from "../daemon/nodes_file/nodes_file_service.ts";
import { SystemPendingFile } from "../platform/node/pending_file.ts";
import type { FileSystem } from "../platform/types/files.ts";
import type { Processes } from "../platform/types/processes.ts";
import { NODES_FILE_BYTES_MAX } from "../wire/nodes_file_messages.ts";
import { inheritedEnvironment } from "./environment.ts";

const COMMAND_TIMEOUT_MS = 30_000;
const COMMAND_LINES_MAX = 10_000;

export async function loadNodes(
  config: CtdbConfig,
  paths: CtdbPaths,
  files: FileSystem,
  processes: Processes,
): Promise<Result<readonly ConfiguredNode[]>> {
  const outcome = await readNodes(config, paths, files, processes);
  if (outcome.ok) return ok(outcome.value);
  return err(`Cannot read nodes: ${outcome.error.map(problemText).join("; ")}`);
}

/** The same, with each problem by itself. */
export async function readNodes(
  config: CtdbConfig,
  paths: CtdbPaths,
  files: FileSystem,
  processes: Processes,
): Promise<NodesOutcome> {
  const source = nodesSource(config, paths);
  if (source.kind === "file") return loadNodesFile(files, source.path);
  const [command, ...args] = source.argv;
  const name = `!${source.argv.join(" ")}`;
  const output =
    command === undefined
      ? err('expected a command after "!"')
      : await outputOf(processes, [command, ...args]);
  if (output.ok) return parseNodes(output.value, name);
  const problems = new ProblemList(name);
  problems.error(0, output.error);
  return err(problems.all());
}

/** For who changes it (daemon/nodes_file). */
export function nodesListSource(config: CtdbConfig, paths: CtdbPaths): NodesListSource {
  const source = nodesSource(config, paths);
  return source.kind === "file"
    ? { kind: "file", file: new SystemPendingFile(source.path, NODES_FILE_BYTES_MAX) }
    : { kind: "command", command: `!${source.argv.join(" ")}` };
}

function outputOf(
  processes: Processes,
  argv: readonly [string, ...string[]],
): Promise<Result<string>> {
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
        else resolve(err(`expected a list of nodes, it ended with ${signal ?? `status ${code}`}`));
      },
    });
    const timeout = setTimeout(() => {
      if (child.ok) child.value.kill("SIGKILL");
      resolve(err(`expected a list of nodes within ${COMMAND_TIMEOUT_MS} ms`));
    }, COMMAND_TIMEOUT_MS);
    if (child.ok) return;
    clearTimeout(timeout);
    resolve(err(child.error.message));
  });
}
