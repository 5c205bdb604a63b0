/**
 * The nodes file as the tool reads it, without loading the whole configuration. What it says when that fails is,
 * word for word, what the original says: scripts look for it.
 */
import { errnoNameText } from "../base/errno.ts";
import { parseIni } from "../config/ini.ts";
import { nodeLine, nodesSource, parseNodes } from "../config/nodes.ts";
import type { ConfigProblem, ConfiguredNode, CtdbPaths } from "../config/types.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";
import type { ToolHost } from "./host.ts";
import { toolPaths } from "./tool_paths.ts";

/** Says on standard error why it cannot be read, then undefined. */
export async function readNodes(host: ToolHost): Promise<readonly ConfiguredNode[] | undefined> {
  const paths = toolPaths(host);
  const source = nodesSource({ cluster: { nodesList: await configuredList(host, paths) } }, paths);
  const name = source.kind === "file" ? source.path : `!${source.argv.join(" ")}`;
  const text = await (source.kind === "file"
    ? readText(host, source.path)
    : run(host, source.argv));
  const nodes = text === undefined ? undefined : parseNodes(text, name);
  if (nodes?.ok) return nodes.value;
  const first = nodes?.error[0];
  if (text !== undefined && first !== undefined) host.err(`${problemText(text, first)}\n`);
  host.err(`Failed to read nodes from "${name}"\n`);
  return undefined;
}

/** The original knows one kind of problem: a line that is no address. Ours has others. */
function problemText(text: string, { file, line, reason }: ConfigProblem): string {
  const raw = text.split("\n")[line - 1];
  if (raw === undefined) return `${file}: ${reason}`;
  const content = nodeLine(raw);
  return parseAddress(content).ok
    ? `${file}: line ${line}: ${reason}`
    : `Invalid node address ${content}`;
}

/** `nodes list` of section [cluster]; ctdbd checks the rest of the file. */
async function configuredList(
  host: ToolHost,
  paths: Pick<CtdbPaths, "etcDirectory">,
): Promise<string | undefined> {
  const text = await host.readText(`${paths.etcDirectory}/ctdb.conf`);
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

async function readText(host: ToolHost, path: string): Promise<string | undefined> {
  const text = await host.readText(path);
  return text.ok ? text.value : undefined;
}

/**
 * As the original, by its output alone: a command that printed nodes and then failed has listed them, one that
 * printed nothing has said itself why.
 */
async function run(host: ToolHost, argv: readonly string[]): Promise<string | undefined> {
  const outcome = await host.run(argv);
  if (outcome.ok) return outcome.value === "" ? undefined : outcome.value;
  const text = errnoNameText(outcome.error);
  host.err(`sys_popenv: ERROR executing command '${argv[0] ?? ""}': ${text}\n`);
  return undefined;
}
