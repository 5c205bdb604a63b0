/** Each kind of event is recorded somewhere, and a test sees it: none is only in the table. */
import { expect, test } from "bun:test";
import { JOURNAL_KINDS, type JournalKind } from "../../src/base/journal_event.ts";
import { sourceFiles } from "../support/source_tree.ts";

const DAEMON = "test/daemon/journal_events.test.ts";
const RECOVERD = "test/recovery/recoverd_journal.test.ts";
const MOVES = "src/failover/addresses/moves.test.ts";
const WATCH = "src/daemon/lifecycle/process_watch.test.ts";
const EVENTS = "src/daemon/lifecycle/node_events.test.ts";
const DATABASES = "src/database/database_events.test.ts";

/** The test that sees it recorded. */
const SEEN_BY: Readonly<Record<JournalKind, string>> = {
  process_started: DAEMON,
  process_ended: DAEMON,
  runstate: DAEMON,
  shutdown: DAEMON,
  state: DAEMON,
  link_up: DAEMON,
  link_down: DAEMON,
  link_missing: "src/daemon/lifecycle/missing_links.test.ts",
  flags: DAEMON,
  nodes_file: DAEMON,
  election: RECOVERD,
  leader: RECOVERD,
  lock_taken: RECOVERD,
  lock_refused: RECOVERD,
  lock_lost: RECOVERD,
  lock_released: RECOVERD,
  recovery_started: RECOVERD,
  recovery_step: RECOVERD,
  recovery_database: RECOVERD,
  recovery_ended: RECOVERD,
  recovery_mode: DAEMON,
  blame: RECOVERD,
  ban: RECOVERD,
  unban: DAEMON,
  takeover_started: RECOVERD,
  address_assigned: "test/failover/run_takeover.test.ts",
  takeover_ended: RECOVERD,
  address_taken: MOVES,
  address_released: MOVES,
  interface_link: MOVES,
  script_failed: EVENTS,
  event_failed: EVENTS,
  event_recovered: EVENTS,
  database_attached: DATABASES,
  database_detached: DATABASES,
  database_unhealthy: DATABASES,
  database_warning: "src/daemon/journal/database_warnings.test.ts",
  client_died: DAEMON,
  long_turn: DAEMON,
  paused: WATCH,
  clock_set: WATCH,
  tunable: DAEMON,
  configuration: "test/daemon/reload.test.ts",
  action: "test/admin/actions.test.ts",
};

const all = sourceFiles(["src", "test"]);
/** What records events; others look at them. */
const RECORDING = /^src\/(daemon|cluster|recovery|failover|services|database|admin)\//;
const recording = all.filter(
  ({ path }) => RECORDING.test(path) && !path.endsWith(".test.ts") && !path.endsWith("counts.ts"),
);

test("the list names every kind of event", () => {
  expect(Object.keys(SEEN_BY).sort()).toEqual([...JOURNAL_KINDS].sort());
});

test("every kind of event is recorded by the product", () => {
  const dead = JOURNAL_KINDS.filter(
    (kind) => !recording.some(({ code }) => code.includes(`"${kind}"`)),
  );
  expect(dead).toEqual([]);
});

test("every kind of event is seen by the test that is named for it", () => {
  const unseen = JOURNAL_KINDS.filter((kind) => {
    const file = all.find(({ path }) => path === SEEN_BY[kind]);
    return file?.code.includes(`"${kind}"`) !== true;
  });
  expect(unseen).toEqual([]);
});
