/**
 * The nodes file: one address a line, the line's number among the non-empty ones is the pnn. A line that
 * begins with # is a deleted node: it keeps its number so that the others keep theirs.
 *
 * `nodes list = !command` is run by the caller (nothing here waits); its output has the same form.
 */
import { err, ok, type Result } from "../base/result.ts";
import { trimmedAtEnd, trimmedOf } from "../base/trimmed.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";
import { ProblemList } from "./problems.ts";
import { readConfigFile } from "./read_file.ts";
import type { ConfigProblem, ConfiguredNode, CtdbConfig, CtdbPaths } from "./types.ts";

/** Only these: other white space makes the original refuse the line. */
const BLANKS = " \t";

export type NodesOutcome = Result<readonly ConfiguredNode[], readonly ConfigProblem[]>;

export type NodesSource =
  | { readonly kind: "file"; readonly path: string }
  /** Split at white space; there is no shell quoting. */
  | { readonly kind: "command"; readonly argv: readonly string[] };

export function nodesSource(
  config: { readonly cluster: Pick<CtdbConfig["cluster"], "nodesList"> },
  paths: Pick<CtdbPaths, "etcDirectory">,
): NodesSource {
  const source = config.cluster.nodesList ?? `${paths.etcDirectory}/nodes`;
  if (!source.startsWith("!")) return { kind: "file", path: source };
  const argv = source
    .slice(1)
    .split(/[ \t]+/)
    .filter((word) => word !== "");
  return { kind: "command", argv };
}

export function loadNodesFile(files: FileSystem, path: string): NodesOutcome {
  const text = readConfigFile(files, path);
  if (!text.ok) return text;
  if (text.value !== undefined) return parseNodes(text.value, path);
  const problems = new ProblemList(path);
  problems.error(0, "expected a nodes file, there is none");
  return err(problems.all());
}

/** What a line says, as the original strips it. */
export function nodeLine(raw: string): string {
  return trimmedOf(trimmedAtEnd(raw, `${BLANKS}\r`), BLANKS);
}

/** `file` names the source in problems. */
export function parseNodes(text: string, file: string): NodesOutcome {
  const nodes: ConfiguredNode[] = [];
  const problems = new ProblemList(file);
  const pnnOf = new Map<string, number>();
  for (const [index, raw] of text.split("\n").entries()) {
    const content = nodeLine(raw);
    if (content === "") continue;
    const pnn = nodes.length;
    if (content.startsWith("#")) {
      nodes.push({ pnn, address: "", deleted: true });
      continue;
    }
    const parsed = parseAddress(content);
    if (!parsed.ok) {
      problems.error(index + 1, parsed.error);
      // Keeps its number, so that later problems name the right one.
      nodes.push({ pnn, address: content, deleted: false });
      continue;
    }
    const { address } = parsed.value;
    const earlier = pnnOf.get(address);
    if (earlier !== undefined) {
      problems.error(
        index + 1,
        `expected an address of its own, "${address}" is node ${earlier} already`,
      );
    }
    pnnOf.set(address, pnn);
    nodes.push({ pnn, address, deleted: false });
  }
  if (nodes.length === 0) problems.error(0, "expected at least one node, it is empty");
  const found = problems.all();
  return found.length > 0 ? err(found) : ok(nodes);
}
