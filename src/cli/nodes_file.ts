/** The nodes file as the tool reads it, without loading the whole configuration. */
import { parseIni } from "../config/ini.ts";
import { nodesSource, parseNodes } from "../config/nodes.ts";
import { resolvePaths } from "../config/paths.ts";
import type { ConfiguredNode, CtdbPaths } from "../config/types.ts";
import { CommandFailure } from "./command.ts";
import type { ToolHost } from "./host.ts";

export function toolPaths(host: ToolHost): CtdbPaths {
  const paths = resolvePaths(host.environment, host.executableDirectory);
  if (!paths.ok) throw new CommandFailure(1, paths.error);
  return paths.value;
}

/** Says on standard error why it cannot be read, then undefined. */
export async function readNodes(host: ToolHost): Promise<readonly ConfiguredNode[] | undefined> {
  const paths = toolPaths(host);
  const source = nodesSource({ cluster: { nodesList: configuredList(host, paths) } }, paths);
  const name = source.kind === "file" ? source.path : `!${source.argv.join(" ")}`;
  const text = source.kind === "file" ? readText(host, source.path) : await run(host, source.argv);
  const nodes = text === undefined ? undefined : parseNodes(text, name);
  if (nodes?.ok) return nodes.value;
  for (const problem of nodes?.error ?? []) {
    const where = problem.line > 0 ? `line ${problem.line}: ` : "";
    host.err(`${problem.file}: ${where}${problem.reason}\n`);
  }
  host.err(`Failed to read nodes file "${name}"\n`);
  return undefined;
}

/** `nodes list` of section [cluster]; ctdbd checks the rest of the file. */
function configuredList(host: ToolHost, paths: CtdbPaths): string | undefined {
  const text = host.files.readText(`${paths.etcDirectory}/ctdb.conf`);
  if (!text.ok) return undefined;
  let section = "";
  let list: string | undefined;
  for (const line of parseIni(text.value)) {
    if (line.kind === "section") section = line.name;
    else if (line.kind === "option" && section === "cluster" && line.name === "nodes list") {
      list = line.value;
    }
  }
  return list;
}

function readText(host: ToolHost, path: string): string | undefined {
  const text = host.files.readText(path);
  return text.ok ? text.value : undefined;
}

async function run(host: ToolHost, argv: readonly string[]): Promise<string | undefined> {
  const outcome = await host.run(argv);
  if ("output" in outcome) return outcome.output;
  host.err(`${argv.join(" ")}: ${outcome.failure}\n`);
  return undefined;
}
