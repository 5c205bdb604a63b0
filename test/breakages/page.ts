/** Breakages of what the page makes of documents; see list.ts. */
import type { Breakage } from "./breakage.ts";

const MODEL = "src/admin/page/model";

export const PAGE_BREAKAGES: readonly Breakage[] = [
  {
    name: "one-way-unseen",
    breaks: "a link that goes one way is shown as one that is there, or not",
    edits: [
      {
        file: `${MODEL}/matrix.ts`,
        find: "if (back !== undefined && back.connected !== sight.connected)",
        replace: "if (back === undefined && sight.connected)",
      },
    ],
    tests: [`${MODEL}/matrix.test.ts`],
  },
  {
    name: "past-that-acts",
    breaks: "actions are offered on a state of the past",
    edits: [
      {
        file: `${MODEL}/shown.ts`,
        find: "    caveats: past.caveats,\n    actions: false,",
        replace: "    caveats: past.caveats,\n    actions: now?.actions === true,",
      },
    ],
    tests: [`${MODEL}/shown.test.ts`],
  },
  {
    name: "events-twice",
    breaks: "an event that comes from the stream and from a question is shown twice",
    edits: [
      {
        file: `${MODEL}/entries.ts`,
        find: "entries.filter((entry) => !this.#known.has(keyOf(entry)))",
        replace: "[...entries]",
      },
    ],
    tests: [`${MODEL}/entries.test.ts`],
  },
  {
    name: "events-for-ever",
    breaks: "a page that is left open keeps every event",
    edits: [
      {
        file: `${MODEL}/entries.ts`,
        find: "if (surplus > 0) {",
        replace: "if (surplus > this.#entriesMax * 1000) {",
      },
    ],
    tests: [`${MODEL}/entries.test.ts`],
  },
  {
    name: "lost-since-noticed",
    breaks: "a lost connection is told with the time of the last attempt",
    edits: [
      {
        file: `${MODEL}/connection.ts`,
        find: "return { ...before, attempts: before.attempts + 1, reason };",
        replace: 'return { state: "lost", sinceMs: null, attempts: before.attempts + 1, reason };',
      },
    ],
    tests: [`${MODEL}/connection.test.ts`],
  },
  {
    name: "no-leader-all-well",
    breaks: "a cluster without a leader is called well",
    edits: [
      {
        file: `${MODEL}/verdict.ts`,
        find: '    ...(leader === null && present.length > 0 ? (["critical"] as const) : []),',
        replace: "",
      },
    ],
    tests: [`${MODEL}/verdict.test.ts`],
  },
  {
    name: "zoom-moves",
    breaks: "zooming takes what is looked at out of sight",
    edits: [
      {
        file: `${MODEL}/timeline.ts`,
        find: "anchorUs + spanUs * (1 - share)",
        replace: "anchorUs + spanUs * share",
      },
    ],
    tests: [`${MODEL}/timeline.test.ts`],
  },
  {
    name: "policy-with-a-hole",
    breaks: "the page's policy lets scripts in that stand in the document",
    edits: [
      {
        file: "src/admin/page/files.ts",
        find: "\"script-src 'self'\"",
        replace: "\"script-src 'self' 'unsafe-inline'\"",
      },
    ],
    tests: ["src/admin/page/files.test.ts"],
  },
];
