/** What the tools that answer questions about the configuration work with. */
import { ToolDocuments, type ToolOutput } from "../base/tool_documents.ts";
import { asksForJson, parseToolWords, type ToolWords } from "../base/tool_words.ts";
import type { FileSystem } from "../platform/types/files.ts";
import type { ConfigToolFacts, PathToolFacts } from "./tool_schemas.ts";
import type { CtdbPaths } from "./types.ts";

export interface ConfigToolHost extends ToolOutput {
  readonly paths: CtdbPaths;
  readonly files: FileSystem;
  /** Takes the place of what is said on success. */
  facts?(facts: ConfigToolFacts | PathToolFacts): void;
}

/** As the original: no such command. */
export const UNKNOWN_COMMAND_STATUS = 1;

export interface ConfigTool {
  readonly name: string;
  readonly usage: string;
  /** Long options of its own. */
  readonly flags?: readonly string[];
  /** Given words that are no request for help; the result is the exit status. */
  run(host: ConfigToolHost, words: ToolWords): number;
}

/** Runs the command line; the result is the exit status. */
export function runTool(tool: ConfigTool, host: ConfigToolHost, args: readonly string[]): number {
  const words = parseToolWords(args, tool.flags);
  if (words.ok && words.value.help) {
    host.out(tool.usage);
    return 0;
  }
  const run = (given: ConfigToolHost): number => {
    if (words.ok) return tool.run(given, words.value);
    return misuse(given, `${words.error}\n${tool.usage}`, UNKNOWN_COMMAND_STATUS);
  };
  if (!(words.ok ? words.value.json : asksForJson(args))) return run(host);
  const documents = new ToolDocuments(host, tool.name);
  return documents.end(run(documents.host));
}

/** The command line is wrong; gives the status back. */
export function misuse(host: ConfigToolHost, text: string, status: number): number {
  host.misused?.();
  host.err(text);
  return status;
}
