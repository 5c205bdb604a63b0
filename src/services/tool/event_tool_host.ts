/** What `ctdb-event` needs of the process that it runs in. */
import type { Result } from "../../base/result.ts";
import type { ToolOutput } from "../../base/tool_documents.ts";
import type { ScriptFiles } from "../../platform/types/script_files.ts";
import type { EventReply, EventRequest } from "../../wire/event_protocol.ts";
import type { EventFacts } from "./event_schemas.ts";

export interface EventToolHost extends ToolOutput {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly etcDirectory: string;
  /** Where the scripts lie that come with CTDB. */
  readonly dataDirectory: string;
  readonly files: ScriptFiles;
  /** The reply, or the errno of why there is none. */
  ask(request: EventRequest): Promise<Result<EventReply, number>>;
  /** Takes the place of what is said on success. */
  facts?(facts: EventFacts): void;
}
