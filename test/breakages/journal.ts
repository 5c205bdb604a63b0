/** Breakages of what is written down, and of who keeps it. */
import type { Breakage } from "./breakage.ts";

export const JOURNAL_BREAKAGES: readonly Breakage[] = [
  {
    name: "texts-without-end",
    breaks: "texts of events are not cut",
    edits: [
      {
        file: "src/daemon/journal/bounded_event.ts",
        find: "if (text.length <= JOURNAL_TEXT_CHARACTERS_MAX) return text;",
        replace: "if (text.length >= 0) return text;",
      },
    ],
    tests: ["src/daemon/journal/bounded_event.test.ts"],
  },
  {
    name: "events-nested-without-end",
    breaks: "what a client reports is looked through however deep it is nested",
    edits: [
      {
        file: "src/daemon/journal/bounded_event.ts",
        find: "  if (depth === 0) return null;\n",
        replace: "",
      },
    ],
    tests: ["src/daemon/journal/bounded_event.test.ts"],
  },
  {
    name: "warnings-all-the-time",
    breaks: "the same problem of a database is written down each time",
    edits: [
      {
        file: "src/daemon/journal/database_warnings.ts",
        find: "nowMs - writtenMs < DATABASE_WARNING_INTERVAL_MS",
        replace: "nowMs - writtenMs < 0",
      },
    ],
    tests: ["src/daemon/journal/database_warnings.test.ts"],
  },
  {
    name: "steps-of-any-name",
    breaks: "steps of recoveries are counted by whatever name a client reports",
    edits: [
      {
        file: "src/daemon/journal/journal_counts.ts",
        find: "this.#steps.size < NODE_FACTS_MAX.STEPS - 1",
        replace: "this.#steps.size < 1e9",
      },
    ],
    tests: ["src/daemon/journal/journal_counts.test.ts"],
  },
  {
    name: "facts-for-everybody",
    breaks: "clients of other nodes are told the facts of a node",
    edits: [
      {
        file: "src/daemon/report/node_facts.ts",
        find: "if (srcnode === ownPnn) this.#asked(data);",
        replace: "if (srcnode >= 0 && ownPnn >= 0) this.#asked(data);",
      },
    ],
    tests: ["test/daemon/node_facts.test.ts"],
  },
  {
    name: "admind-again-and-again",
    breaks: "a ctdb-admind that ends at once is started again each second",
    edits: [
      {
        file: "src/daemon/lifecycle/admind_watch.ts",
        find: "this.#delayMs = Math.min(2 * delayMs, RESTART_DELAY_MAX_MS);",
        replace: "this.#delayMs = Math.min(delayMs, RESTART_DELAY_MAX_MS);",
      },
    ],
    tests: ["src/daemon/lifecycle/admind_watch.test.ts"],
  },
  {
    name: "admind-after-the-end",
    breaks: "ctdb-admind is started after the end of its ctdbd",
    edits: [
      {
        file: "src/daemon/lifecycle/admind_watch.ts",
        find: "if (this.#stopped || !this.#wanted) return;",
        replace: "if (!this.#wanted) return;",
      },
    ],
    tests: ["src/daemon/lifecycle/admind_watch.test.ts"],
  },
  {
    name: "monitor-failures-each-time",
    breaks: "a monitor event that goes on failing alike is written down each time",
    edits: [
      {
        file: "src/daemon/lifecycle/node_events.ts",
        find: "if (isRepeated && nowMs - before.writtenMs < REPEATED_AFTER_MS) return;",
        replace: "if (isRepeated && nowMs - before.writtenMs < 0) return;",
      },
    ],
    tests: ["src/daemon/lifecycle/node_events.test.ts"],
  },
  {
    name: "hung-event-daemon-waited-for",
    breaks: "an event daemon that does not say which script failed is waited for",
    edits: [
      {
        file: "src/daemon/lifecycle/node_events.ts",
        find: ".after(EXPLAINED_WITHIN_MS, () => tell(undefined));",
        replace: ".after(EXPLAINED_WITHIN_MS, () => undefined);",
      },
    ],
    tests: ["src/daemon/lifecycle/node_events.test.ts"],
  },
  {
    name: "former-host-forgotten",
    breaks: "it is not known who had an address that was let go",
    edits: [
      {
        file: "src/failover/takeover/assignments.ts",
        find: "      else told.set(addr.address, pnn);\n",
        replace: "",
      },
    ],
    tests: ["src/failover/takeover/assignments.test.ts"],
  },
  {
    name: "leader-while-ahead",
    breaks: "who is ahead in an election is written down as leader",
    edits: [
      {
        file: "src/cluster/election.ts",
        find: 'if (this.#state.name !== "electing") this.#writeLeader();',
        replace: "this.#writeLeader();",
      },
    ],
    tests: ["test/recovery/recoverd_journal.test.ts"],
  },
  {
    name: "turns-of-any-name",
    breaks: "turns are counted by however many names there are",
    edits: [
      {
        file: "src/base/trace.ts",
        find: "this.#times.size < TURN_NAMES_MAX",
        replace: "this.#times.size < 1e9",
      },
    ],
    tests: ["src/base/trace.test.ts"],
  },
];
