/** Documents of commands that are programs of their own: the event tool, NAT gateway, LVS. */
import * as v from "valibot";
import { address, type Facts, integer, pnn, seconds, time } from "./facts.ts";

const script = v.strictObject({
  name: v.string(),
  state: v.picklist(["ok", "disabled", "error", "timed out", "cannot run"]),
  /** Exit status, or an errno where it timed out or could not be run; null: it is disabled. */
  result: v.nullable(integer),
  begin_time: v.nullable(time),
  duration_seconds: v.nullable(seconds),
  output: v.nullable(v.string()),
});

const eventStatus = v.strictObject({
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

export const scriptstatusFacts = eventStatus;
export const eventFacts = v.union([eventStatus, scriptList, eventActed]);

const groupStatus = v.strictObject({
  nodes: v.array(
    v.strictObject({ pnn, address, states: v.array(v.string()), this_node: v.boolean() }),
  ),
});

/** `leader`, `list`, `status`. */
export const natgwFacts = v.union([
  v.strictObject({
    /** null: no node can be. */
    leader: v.nullable(v.strictObject({ pnn, address })),
  }),
  v.strictObject({
    group: v.array(v.strictObject({ address, leader: v.boolean(), follower_only: v.boolean() })),
  }),
  groupStatus,
]);
export const lvsFacts = v.union([
  v.strictObject({
    /** null: no node can be. */
    leader: v.nullable(pnn),
  }),
  v.strictObject({ usable: v.array(v.strictObject({ pnn, address })) }),
  groupStatus,
]);
