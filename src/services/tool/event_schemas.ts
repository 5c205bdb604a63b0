/** Documents of `ctdb-event --json`, which are also those of `ctdb event` and `ctdb scriptstatus`. */
import * as v from "valibot";
import { type Facts, integer, seconds, time } from "../../base/document_values.ts";

const script = v.strictObject({
  name: v.string(),
  state: v.picklist(["ok", "disabled", "error", "timed out", "cannot run"]),
  /** Exit status, or an errno where it timed out or could not be run; null: it is disabled. */
  result: v.nullable(integer),
  begin_time: v.nullable(time),
  duration_seconds: v.nullable(seconds),
  output: v.nullable(v.string()),
});
export type EventScriptFacts = Facts<typeof script>;

export const eventStatus = v.strictObject({
  component: v.string(),
  event: v.string(),
  /** "unknown": nobody could be asked, and standard error says why. */
  state: v.picklist(["ran", "never ran", "unknown"]),
  /** 0, or what the first script that failed gave. */
  result: v.nullable(integer),
  scripts: v.array(script),
});
export type EventStatusFacts = Facts<typeof eventStatus>;

const scriptList = v.strictObject({
  component: v.string(),
  scripts: v.array(
    v.strictObject({
      name: v.string(),
      enabled: v.boolean(),
      /** It comes with CTDB, and is enabled by a link. */
      provided: v.boolean(),
    }),
  ),
});

/** What was run, enabled or disabled. */
const eventActed = v.strictObject({
  component: v.string(),
  event: v.exactOptional(v.string()),
  script: v.exactOptional(v.string()),
});

export const eventFacts = v.union([eventStatus, scriptList, eventActed]);
export type EventFacts = Facts<typeof eventFacts>;
