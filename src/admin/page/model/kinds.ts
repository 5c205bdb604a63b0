/** Kinds of events: the group by which they are filtered, what they are called, and how much each matters. */
import type { JournalEvent, JournalKind } from "../../../base/journal_event.ts";
import type { Entry, EntryEvent } from "./documents.ts";
import { flagWords, type Level, stateLevel } from "./flags.ts";

export const GROUPS = [
  "nodes",
  "leadership",
  "recoveries",
  "blame",
  "addresses",
  "scripts",
  "databases",
  "slowness",
  "configuration",
  "processes",
] as const;
export type Group = (typeof GROUPS)[number];

interface KindRow {
  readonly group: Group;
  /** Two words at most: a column of the list. */
  readonly name: string;
  readonly level: Level;
}

const KINDS: Readonly<Record<JournalKind | "gap", KindRow>> = {
  process_started: { group: "processes", name: "start", level: "notice" },
  process_ended: { group: "processes", name: "end", level: "warning" },
  runstate: { group: "processes", name: "run state", level: "good" },
  shutdown: { group: "processes", name: "shutdown", level: "notice" },
  state: { group: "processes", name: "state", level: "good" },
  link_up: { group: "nodes", name: "link up", level: "notice" },
  link_down: { group: "nodes", name: "link down", level: "critical" },
  link_missing: { group: "nodes", name: "link missing", level: "critical" },
  flags: { group: "nodes", name: "flags", level: "notice" },
  nodes_file: { group: "nodes", name: "nodes file", level: "notice" },
  election: { group: "leadership", name: "election", level: "notice" },
  leader: { group: "leadership", name: "leader", level: "notice" },
  lock_taken: { group: "leadership", name: "lock taken", level: "good" },
  lock_refused: { group: "leadership", name: "lock refused", level: "warning" },
  lock_lost: { group: "leadership", name: "lock lost", level: "critical" },
  lock_released: { group: "leadership", name: "lock released", level: "good" },
  recovery_started: { group: "recoveries", name: "recovery", level: "notice" },
  recovery_step: { group: "recoveries", name: "step", level: "good" },
  recovery_database: { group: "recoveries", name: "database", level: "good" },
  recovery_ended: { group: "recoveries", name: "recovery", level: "notice" },
  recovery_mode: { group: "recoveries", name: "mode", level: "good" },
  blame: { group: "blame", name: "blame", level: "warning" },
  ban: { group: "blame", name: "ban", level: "critical" },
  unban: { group: "blame", name: "unban", level: "notice" },
  takeover_started: { group: "addresses", name: "takeover", level: "good" },
  address_assigned: { group: "addresses", name: "assigned", level: "notice" },
  takeover_ended: { group: "addresses", name: "takeover", level: "good" },
  address_taken: { group: "addresses", name: "taken", level: "notice" },
  address_released: { group: "addresses", name: "released", level: "notice" },
  interface_link: { group: "addresses", name: "interface", level: "notice" },
  script_failed: { group: "scripts", name: "script", level: "warning" },
  event_failed: { group: "scripts", name: "event", level: "warning" },
  event_recovered: { group: "scripts", name: "event", level: "notice" },
  database_attached: { group: "databases", name: "attached", level: "good" },
  database_detached: { group: "databases", name: "detached", level: "notice" },
  database_unhealthy: { group: "databases", name: "unhealthy", level: "critical" },
  database_warning: { group: "databases", name: "warning", level: "warning" },
  client_died: { group: "databases", name: "client died", level: "warning" },
  long_turn: { group: "slowness", name: "long turn", level: "warning" },
  paused: { group: "slowness", name: "paused", level: "warning" },
  clock_set: { group: "slowness", name: "clock set", level: "warning" },
  tunable: { group: "configuration", name: "tunable", level: "notice" },
  configuration: { group: "configuration", name: "options", level: "notice" },
  action: { group: "configuration", name: "action", level: "notice" },
  gap: { group: "processes", name: "gap", level: "warning" },
};

const UNKNOWN: KindRow = { group: "processes", name: "other", level: "notice" };

export function isKnownKind(kind: string): kind is JournalKind | "gap" {
  return Object.hasOwn(KINDS, kind);
}

export function kindsOf(groups: readonly Group[]): readonly string[] {
  return Object.entries(KINDS)
    .filter(([, row]) => groups.includes(row.group))
    .map(([kind]) => kind);
}

function rowOf(event: EntryEvent): KindRow {
  return event.kind === "unknown" ? UNKNOWN : KINDS[event.kind];
}

export function groupOf({ event }: Entry): Group {
  return rowOf(event).group;
}

export function kindName({ event }: Entry): string {
  return rowOf(event).name;
}

/** By the kind, and for some by what the event says. */
export function levelOf({ event }: Entry): Level {
  if (event.kind === "unknown" || event.kind === "gap") return rowOf(event).level;
  return levelByContent(event) ?? rowOf(event).level;
}

function levelByContent(event: JournalEvent): Level | undefined {
  switch (event.kind) {
    case "flags":
      return event.after === 0 ? "notice" : stateLevel(flagWords(event.after & ~event.before));
    case "leader":
      return event.after === null ? "warning" : "notice";
    case "recovery_ended":
    case "takeover_ended":
      return event.succeeded ? undefined : "critical";
    case "address_assigned":
      return event.to === null ? "critical" : "notice";
    case "address_taken":
    case "address_released":
      return event.failure === null ? "notice" : "critical";
    case "action":
      return event.failure === null ? "notice" : "warning";
    case "interface_link":
      return event.up ? "notice" : "warning";
    default:
      return undefined;
  }
}
