/**
 * What is written down of a node's life: typed events, each of which says what happened, to what, and why. ctdbd and its
 * children record them, ctdb-admind keeps them (docs/journal.md).
 *
 * Rules for events:
 * 1. An event says what its own process saw or did. What follows from what is found by those who read: they join
 *    events by node, generation, address, database, client and time.
 * 2. Names of fields are those of the documents that programs read: snake_case, units last.
 * 3. No field grows without bound: texts are cut at TEXT_CHARACTERS_MAX, lists at LIST_ENTRIES_MAX, by the one that
 *    sends the event on (daemon/journal/bounded_event.ts).
 * 4. Recording costs a push: no event is made into text or bytes by the one that records it.
 *
 * The same table as schemas, for what comes from other processes and nodes: journal/event_schemas.ts.
 */

export const JOURNAL_TEXT_CHARACTERS_MAX = 1024;
export const JOURNAL_LIST_ENTRIES_MAX = 256;

export type JournalProcess =
  | "ctdbd"
  | "recoverd"
  | "eventd"
  | "admind"
  | "recovery_helper"
  | "takeover_helper";

/** Who caused something: a process of some node, as far as it is known. */
export interface JournalActor {
  /** The node that asked; null: not known. */
  readonly node: number | null;
  /** The client that asked, when it is one of this node. */
  readonly pid?: number;
  /** Name of its program. */
  readonly program?: string;
}

export interface JournalSpan {
  readonly name: string;
  readonly depth: number;
  readonly duration_ms: number;
}

export interface JournalOptionChange {
  /** `section:option` */
  readonly option: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What a node is when its record begins, and from time to time: the point from which others are counted. */
export interface JournalNodeState {
  readonly runstate: string;
  readonly generation: number;
  readonly recovering: boolean;
  readonly leader: number | null;
  readonly nodes: readonly {
    readonly node: number;
    readonly address: string;
    /** NODE_FLAGS as this node knows them. */
    readonly flags: number;
  }[];
  /** Public addresses by who has them, as this node knows; null: nobody, or not known. */
  readonly addresses: readonly { readonly address: string; readonly node: number | null }[];
  readonly databases: readonly JournalDatabase[];
}

export interface JournalDatabase {
  readonly name: string;
  readonly id: number;
  readonly kind: "volatile" | "persistent" | "replicated";
}

/** The kinds of events, and what each says beside. */
export interface JournalEventFields {
  // Processes
  process_started: {
    readonly process: JournalProcess;
    readonly pid: number;
    readonly version: string;
  };
  process_ended: {
    readonly process: JournalProcess;
    readonly pid: number | null;
    readonly how: string;
  };
  runstate: { readonly runstate: string };
  shutdown: { readonly reason: string };
  state: JournalNodeState;

  // Links and flags
  link_up: { readonly peer: number };
  link_down: { readonly peer: number; readonly reason: string };
  /** This node and another have not reached each other for some time, and others reach both. */
  link_missing: { readonly peer: number; readonly seen_by: readonly number[] };
  /** NODE_FLAGS of a node changed in the view of this one. */
  flags: {
    readonly target: number;
    readonly before: number;
    readonly after: number;
    readonly reason: string;
    readonly by: JournalActor;
  };
  nodes_file: { readonly added: readonly number[]; readonly removed: readonly number[] };

  // Leadership
  election: { readonly reason: string };
  /** Who leads in the view of this node; null: nobody. */
  leader: {
    readonly before: number | null;
    readonly after: number | null;
    readonly reason: string;
  };
  lock_taken: { readonly lock: string; readonly duration_ms: number };
  lock_refused: { readonly lock: string; readonly reason: string };
  lock_lost: { readonly lock: string; readonly reason: string };
  lock_released: { readonly lock: string };

  // Recoveries; those of one recovery have its generation
  recovery_started: {
    readonly generation: number;
    readonly reason: string;
    readonly nodes: readonly number[];
    /** The node that was blamed last. */
    readonly culprit: number | null;
  };
  recovery_step: {
    readonly generation: number;
    readonly step: string;
    readonly duration_ms: number;
  };
  recovery_database: {
    readonly generation: number;
    readonly database: string;
    readonly records: number;
    readonly duration_ms: number;
  };
  recovery_ended: {
    readonly generation: number;
    readonly succeeded: boolean;
    /** Of a failure. */
    readonly reason: string | null;
    readonly duration_ms: number;
  };
  /** Recovery mode of this node. */
  recovery_mode: {
    readonly active: boolean;
    readonly generation: number;
    readonly reason: string;
  };

  // Blame
  blame: {
    readonly target: number;
    readonly credits: number;
    readonly total: number;
    /** A node with as many is banned. */
    readonly limit: number;
    readonly reason: string;
  };
  /** This node bans, asks for a ban or was banned; `target` is who is banned. */
  ban: {
    readonly target: number;
    readonly seconds: number;
    readonly reason: string;
    readonly by: JournalActor;
  };
  unban: { readonly target: number; readonly how: "expired" | "asked"; readonly by: JournalActor };

  // Public addresses
  takeover_started: { readonly reason: string };
  /** A takeover run decided so. */
  address_assigned: {
    readonly address: string;
    readonly from: number | null;
    readonly to: number | null;
    readonly reason: string;
  };
  takeover_ended: {
    readonly succeeded: boolean;
    readonly reason: string | null;
    readonly duration_ms: number;
  };
  /** This node has it now, or has given it up; `reason` of a failure. */
  address_taken: {
    readonly address: string;
    readonly interface: string;
    readonly duration_ms: number;
    readonly failure: string | null;
  };
  address_released: {
    readonly address: string;
    readonly interface: string;
    readonly duration_ms: number;
    readonly failure: string | null;
  };
  interface_link: { readonly interface: string; readonly up: boolean };

  // Event scripts
  script_failed: {
    readonly event: string;
    readonly script: string;
    /** Exit status; negative: an errno, as the event daemon says it. */
    readonly result: number;
    /** The line of its output that tells most. */
    readonly line: string | null;
    readonly duration_ms: number | null;
  };
  event_failed: {
    readonly event: string;
    readonly status: string;
    readonly duration_ms: number;
  };
  /** An event that has failed before succeeds again. */
  event_recovered: { readonly event: string };

  // Databases
  database_attached: {
    readonly name: string;
    readonly id: number;
    /** `kind` of a JournalDatabase: the event has a kind of its own. */
    readonly type: JournalDatabase["kind"];
  };
  database_detached: { readonly name: string; readonly id: number };
  database_unhealthy: { readonly name: string; readonly reason: string };
  database_warning: { readonly name: string; readonly warning: string };
  /** A client went away in the middle of it. */
  client_died: {
    readonly pid: number;
    readonly program: string;
    readonly database: string | null;
    readonly during: string;
  };

  // Slowness
  long_turn: {
    readonly duration_ms: number;
    readonly busy_ms: number;
    readonly spans: readonly JournalSpan[];
  };
  /** The process did not run: it was stopped, or the machine. */
  paused: { readonly duration_ms: number };
  /** The clock of the machine was set; negative: back. */
  clock_set: { readonly by_ms: number };

  // What it is configured with
  tunable: {
    readonly name: string;
    readonly before: number;
    readonly after: number;
    readonly by: JournalActor;
  };
  configuration: {
    readonly changes: readonly JournalOptionChange[];
    readonly by: JournalActor;
  };

  // What somebody did through ctdb-admind, or a client asked another node for
  action: {
    readonly action: string;
    /** The node that it was about; null: none. */
    readonly target: number | null;
    readonly arguments: readonly string[];
    readonly who: string;
    /** What it was about, before and after, as text; null: not known. */
    readonly before: string | null;
    readonly after: string | null;
    readonly failure: string | null;
  };
}

export type JournalKind = keyof JournalEventFields;

/** All of them: each is recorded somewhere, which a test looks at (test/daemon/journal_kinds.test.ts). */
const KINDS: Readonly<Record<JournalKind, true>> = {
  process_started: true,
  process_ended: true,
  runstate: true,
  shutdown: true,
  state: true,
  link_up: true,
  link_down: true,
  link_missing: true,
  flags: true,
  nodes_file: true,
  election: true,
  leader: true,
  lock_taken: true,
  lock_refused: true,
  lock_lost: true,
  lock_released: true,
  recovery_started: true,
  recovery_step: true,
  recovery_database: true,
  recovery_ended: true,
  recovery_mode: true,
  blame: true,
  ban: true,
  unban: true,
  takeover_started: true,
  address_assigned: true,
  takeover_ended: true,
  address_taken: true,
  address_released: true,
  interface_link: true,
  script_failed: true,
  event_failed: true,
  event_recovered: true,
  database_attached: true,
  database_detached: true,
  database_unhealthy: true,
  database_warning: true,
  client_died: true,
  long_turn: true,
  paused: true,
  clock_set: true,
  tunable: true,
  configuration: true,
  action: true,
};
export const JOURNAL_KINDS = Object.keys(KINDS) as readonly JournalKind[];

export type JournalEventOf<K extends JournalKind> = { readonly kind: K } & JournalEventFields[K];
export type JournalEvent = { [K in JournalKind]: JournalEventOf<K> }[JournalKind];

/** Where events go. Never waits, never fails. */
export interface Journal {
  record(event: JournalEvent): void;
}

/** For tests and tools that keep nothing. */
export const silentJournal: Journal = { record() {} };
