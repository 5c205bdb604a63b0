/** A tool that reads the configuration and prints something of it. */
import { resolvePaths } from "../config/paths.ts";
import type { ConfigToolHost } from "../config/tool_host.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { BufferedOutput, printErr } from "./buffered_output.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import type { Role } from "./role.ts";

type Tool = (host: ConfigToolHost, args: readonly string[]) => number;

export function configToolRole(name: string, tool: Tool): Role {
  return {
    async run(args) {
      const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
      if (!paths.ok) {
        printErr(`${name}: ${paths.error}\n`);
        return 1;
      }
      const output = new BufferedOutput();
      const host: ConfigToolHost = {
        paths: paths.value,
        files: new SystemFiles(),
        out: (text) => output.out(text),
        err: (text) => output.err(text),
      };
      const status = tool(host, args);
      output.flush();
      return status;
    },
  };
}
