/** Where the node's files are, for the tool: apart from what reads them, which few commands do. */
import { resolvePaths } from "../config/paths.ts";
import type { CtdbPaths } from "../config/types.ts";
import { CommandFailure } from "./failure.ts";
import type { ToolHost } from "./host.ts";

/** The tool starts no helpers, and need not find out where its executable lies. */
type ToolPaths = Omit<CtdbPaths, "helperDirectory">;

const EXECUTABLE_DIRECTORY = "/";

export function toolPaths(host: ToolHost): ToolPaths {
  const paths = resolvePaths(host.environment, EXECUTABLE_DIRECTORY);
  if (!paths.ok) throw new CommandFailure(1, paths.error);
  return paths.value;
}
