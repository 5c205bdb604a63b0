/** ctdb-config: what ctdb.conf says (src/config/config_tool.ts). */
import { runConfigTool } from "../config/config_tool.ts";
import { configToolRole } from "./config_tool_role.ts";

export const role = configToolRole("ctdb-config", runConfigTool);
