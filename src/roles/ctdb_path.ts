/** ctdb-path: where files of this node are (src/config/path_tool.ts). */
import { runPathTool } from "../config/path_tool.ts";
import { configToolRole } from "./config_tool_role.ts";

export const role = configToolRole("ctdb-path", runPathTool);
