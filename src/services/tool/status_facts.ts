/** What `ctdb-event --json status` gives of the scripts of an event. */
import { ENOEXEC, ETIMEDOUT } from "../../base/errno.ts";
import type { EventStatus } from "../../wire/event_protocol.ts";
import type { EventScriptFacts, EventStatusFacts } from "./event_schemas.ts";
import { lastRun } from "./status_text.ts";

type RunFacts = Omit<EventStatusFacts, "component" | "event">;
type ScriptStatus = EventStatus["scripts"][number];

/** Of an event that has not run yet. */
export const NEVER_RAN: RunFacts = { state: "never ran", result: null, scripts: [] };

export function statusFacts(status: EventStatus): RunFacts {
  return {
    state: "ran",
    result: Math.abs(status.summary),
    scripts: lastRun(status).map(scriptFacts),
  };
}

function scriptFacts({ name, begin, end, result, output }: ScriptStatus): EventScriptFacts {
  const disabled = result === -ENOEXEC;
  const ran = result >= 0;
  const seconds = end.sec - begin.sec + (end.usec - begin.usec) * 1e-6;
  return {
    name: name ?? "",
    state: stateOf(result),
    result: disabled ? null : Math.abs(result),
    begin_time: disabled ? null : begin.sec + begin.usec * 1e-6,
    duration_seconds: ran ? seconds : null,
    output: output ?? null,
  };
}

function stateOf(result: number): EventScriptFacts["state"] {
  if (result === -ETIMEDOUT) return "timed out";
  if (result === -ENOEXEC) return "disabled";
  if (result < 0) return "cannot run";
  return result === 0 ? "ok" : "error";
}
