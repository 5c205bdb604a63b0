/** Breakages of questions to journals: over messages, and of the tool; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const JOURNAL_TOOL_BREAKAGES: readonly Breakage[] = [
  {
    name: "answer-of-anybody",
    breaks: "a node answers a question that another one was asked",
    edits: [
      {
        file: "src/client/api_request.ts",
        find: "if (waiting === undefined || waiting.pnn !== srcnode) return;",
        replace: "if (waiting === undefined) return;",
      },
    ],
    tests: ["src/client/api_request.test.ts"],
  },
  {
    name: "answer-without-end",
    breaks: "an answer of another node grows without an end",
    edits: [
      {
        file: "src/client/api_request.ts",
        find: "if (waiting.characters > API_ANSWER_CHARACTERS_MAX) {",
        replace: "if (waiting.characters < 0) {",
      },
    ],
    tests: ["src/client/api_request.test.ts"],
  },
  {
    name: "work-counts-as-clock",
    breaks: "the time that an answer took counts as an error of the other clock",
    edits: [
      {
        file: "src/client/api_request.ts",
        find: "const wayUs = Math.max(0, passedUs - Math.max(0, theirsUs));",
        replace: "const wayUs = Math.max(0, passedUs + 0 * theirsUs);",
      },
    ],
    tests: ["src/client/api_request.test.ts"],
  },
  {
    name: "other-clock-believed",
    breaks: "events are in the order of clocks that differ",
    edits: [
      {
        file: "src/cli/journal/listing.ts",
        find: "parseRfc3339(event.time) - aheadUs",
        replace: "parseRfc3339(event.time) - 0 * aheadUs",
      },
    ],
    tests: ["test/cli/journal.test.ts"],
  },
  {
    name: "journal-moves-cursor",
    breaks: "what a journal holds moves the cursor of the terminal",
    edits: [
      {
        file: "src/cli/journal/lines.ts",
        find: "{printable(explained.text)}`",
        replace: "{explained.text}`",
      },
    ],
    tests: ["test/cli/journal.test.ts"],
  },
  {
    name: "first-failure-ends-all",
    breaks: "a node that fails keeps the others from being asked",
    edits: [
      {
        file: "src/cli/every_node.ts",
        find: "      if (first === 0) first = status;",
        replace: "      if (first === 0) first = status;\n      if (first !== 0) break;",
      },
    ],
    tests: ["test/cli/every_node.test.ts"],
  },
  {
    name: "cut-off-is-dead",
    breaks: "of two nodes that lost each other both count as dead",
    edits: [
      {
        file: "src/journal/state/cluster_state.ts",
        find: "hasLost(other, view.node) && !hasLost(view, other.node)",
        replace: "hasLost(other, view.node)",
      },
    ],
    tests: ["src/journal/state/read_state.test.ts"],
  },
  {
    name: "old-ban-moves-address",
    breaks: "an address that moved since its node is cut off moved for a ban that is over",
    edits: [
      {
        file: "src/journal/why/causes_of_addresses.ts",
        find: "second.common_us > first.common_us + SAME_CHANGE_US ? seen : own",
        replace: "second.common_us > first.common_us + 1e15 * SAME_CHANGE_US ? seen : own",
      },
    ],
    tests: ["src/journal/why/causes_of_addresses.test.ts"],
  },
];
