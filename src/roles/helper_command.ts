/** What a daemon of ours runs as its helpers: the installed one, whoever made it, or this executable as the helper. */
import { existsSync } from "node:fs";
import { pathForCall } from "../platform/node/path.ts";
import { selfCommand } from "./own_process.ts";

export function helperCommand(helperDirectory: string, role: string): [string, ...string[]] {
  const installed = `${helperDirectory}/${role}`;
  return existsSync(pathForCall(installed)) ? [installed] : selfCommand(role, []);
}
