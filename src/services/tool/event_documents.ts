/** `ctdb-event --json`: one document on standard output, or one about the failure on standard error. */
import { documentText, errorDocument } from "../../base/json_document.ts";
import type { EventToolHost } from "./event_tool_host.ts";

/** What `run` says is kept for the failure; a success without facts has none. */
export async function withDocuments(
  host: EventToolHost,
  run: (host: EventToolHost) => Promise<number>,
): Promise<number> {
  let said = "";
  let answered = false;
  const keep = (text: string) => {
    said += text;
  };
  const status = await run({
    ...host,
    out: keep,
    err: keep,
    facts(facts) {
      answered = true;
      host.out(documentText(facts));
    },
  });
  const messages = said.split("\n").filter((line) => line !== "");
  if (answered) return status;
  host.err(errorDocument({ command: "event", kind: "failed", status, messages }));
  return status;
}
