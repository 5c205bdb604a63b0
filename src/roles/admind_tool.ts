/**
 * The tool inside of ctdb-admind: commands run in this process, and what they print is the answer. Most of it is loaded when it
 * is needed: an idle ctdb-admind is small.
 */
import type { Tool } from "../admin/parts.ts";
import { bytesText } from "../base/byte_text.ts";
import { commandRow } from "../cli/commands.ts";
import type { ToolHost } from "../cli/host.ts";

export type LoadHost = () => Promise<ToolHost>;

export function admindTool(loadHost: LoadHost): Tool {
  return {
    command: (name) => commandRow(name),
    async schema(name) {
      const { jsonSchema } = await import("../cli/json_schema.ts");
      return jsonSchema(name) ?? {};
    },
    async run(args) {
      const [host, { runTool }] = await Promise.all([loadHost(), import("../cli/tool.ts")]);
      const said = { text: "", error: "" };
      const status = await runTool(
        {
          ...host,
          out: (text) => {
            said.text += typeof text === "string" ? text : bytesText(text);
          },
          err: (text) => {
            said.error += text;
          },
        },
        args,
      );
      return { status, ...said };
    },
  };
}
