/** Where the node's files are, for the tool: apart from what reads them, which few commands do. */
import { resolvePaths } from "../config/paths.ts";
import type { CtdbPaths } from "../config/types.ts";
import { CommandFailure } from "./failure.ts";
import type { ToolHost } from "./host.ts";

export function toolPaths(host: ToolHost): CtdbPaths {
  const paths = resolvePaths(host.environment, host.executableDirectory);
  if (!paths.ok) throw new CommandFailure(1, paths.error);
  return paths.value;
}
