/** Breakages of the API of ctdb-admind; see list.ts. */
import type { Breakage } from "./breakage.ts";

const ADMIN = "src/admin";
const RIGHTS = ["test/admin/rights.test.ts"];
const STREAMS = ["test/admin/event_streams.test.ts"];
const ROUTES = ["test/admin/routes.test.ts"];
const LOOK = ["test/admin/cluster_look.test.ts"];

export const ADMIN_BREAKAGES: readonly Breakage[] = [
  {
    name: "actions-on",
    breaks: "actions that are off are run for those who may act",
    edits: [
      {
        file: `${ADMIN}/auth/callers.ts`,
        find: 'return right === "act" && !this.#parts.actions ? "read" : right;',
        replace: "return right;",
      },
    ],
    tests: RIGHTS,
  },
  {
    name: "no-csrf",
    breaks: "an action by cookie needs no CSRF token",
    edits: [
      {
        file: `${ADMIN}/auth/callers.ts`,
        find: "if (session !== undefined && !isCsrfToken(",
        replace: "if (session === undefined && !isCsrfToken(",
      },
    ],
    tests: RIGHTS,
  },
  {
    name: "guess-on",
    breaks: "wrong tokens may be tried without an end",
    edits: [
      {
        file: `${ADMIN}/auth/callers.ts`,
        find: "    this.#wrong.take(address);\n",
        replace: "",
      },
    ],
    tests: RIGHTS,
  },
  {
    name: "session-outlives-token",
    breaks: "a session goes on when its token was taken away",
    edits: [
      {
        file: `${ADMIN}/auth/sessions.ts`,
        find: "findToken(tokens, session.token);",
        replace: '{ token: session.token, right: "read" as const };',
      },
    ],
    tests: RIGHTS,
  },
  {
    name: "sessions-without-end",
    breaks: "sessions grow with each sign-in",
    edits: [
      {
        file: `${ADMIN}/auth/sessions.ts`,
        find: "      this.#byDigest.delete(quietest[0]);\n",
        replace: "",
      },
    ],
    tests: RIGHTS,
  },
  {
    name: "callers-without-end",
    breaks: "every address that ever asked is remembered",
    edits: [
      {
        file: `${ADMIN}/auth/token_bucket.ts`,
        find: "this.#buckets.size > CALLERS_MAX && ",
        replace: "this.#buckets.size > 1e9 && ",
      },
    ],
    tests: RIGHTS,
  },
  {
    name: "options-of-strangers",
    breaks: "an argument of a request becomes an option of the tool",
    edits: [
      {
        file: `${ADMIN}/tool/documents.ts`,
        find: '  if (text.startsWith("-")) return "expected no option";\n',
        replace: "",
      },
    ],
    tests: ROUTES,
  },
  {
    name: "tool-crowd",
    breaks: "each request runs the tool at once",
    edits: [
      {
        file: `${ADMIN}/tool/documents.ts`,
        find: "if (this.#running >= TOOL_RUNS_AT_ONCE_MAX) {",
        replace: "if (this.#running >= 1e9) {",
      },
    ],
    tests: ROUTES,
  },
  {
    name: "asked-anew",
    breaks: "each asker is a question to ctdbd",
    edits: [
      {
        file: `${ADMIN}/kept_answer.ts`,
        find: "    this.#asking ??= this.#askNow();\n    return this.#asking;",
        replace: "    return this.#askNow();",
      },
    ],
    tests: ROUTES,
  },
  {
    name: "huge-bodies",
    breaks: "a body is read however long it is",
    edits: [
      {
        file: `${ADMIN}/api/serve.ts`,
        find: "if (length > BODY_BYTES_MAX) return tooLarge;",
        replace: "if (length > 1e9) return tooLarge;",
      },
      {
        file: `${ADMIN}/api/serve.ts`,
        find: "?? 0) > BODY_BYTES_MAX) return tooLarge;",
        replace: "?? 0) > 1e9) return tooLarge;",
      },
    ],
    tests: ROUTES,
  },
  {
    name: "inside-out",
    breaks: "a mistake shows its inside to whoever asked",
    edits: [
      {
        file: `${ADMIN}/api/app.ts`,
        find: 'problem(500, "the log of ctdb-admind says more")',
        replace: "problem(500, error.message)",
      },
    ],
    tests: ROUTES,
  },
  {
    name: "slow-readers-kept",
    breaks: "what a slow reader of events does not take is kept without an end",
    edits: [
      {
        file: `${ADMIN}/events/event_stream.ts`,
        find: "if (this.#waitingBytes > STREAM_BYTES_MAX)",
        replace: "if (this.#waitingBytes > 1e12)",
      },
    ],
    tests: STREAMS,
  },
  {
    name: "replay-and-live",
    breaks: "a reader that catches up gets what happens meanwhile twice",
    edits: [
      {
        file: `${ADMIN}/events/event_streams.ts`,
        find: "if (!stream.isReplaying) stream.push(bytes);",
        replace: "stream.push(bytes);",
      },
    ],
    tests: STREAMS,
  },
  {
    name: "looks-on",
    breaks: "the cluster is looked at when nobody watches any more",
    edits: [
      {
        file: `${ADMIN}/cluster/cluster_watch.ts`,
        find: "      this.#round?.cancel();\n      this.#round = undefined;\n",
        replace: "",
      },
    ],
    tests: STREAMS,
  },
  {
    name: "ready-when-banned",
    breaks: "a node is ready whatever its flags",
    edits: [
      {
        file: `${ADMIN}/health.ts`,
        find: "flags === 0 ? undefined :",
        replace: "flags >= 0 ? undefined :",
      },
    ],
    tests: ["test/admin/health.test.ts"],
  },
  {
    name: "buckets-apart",
    breaks: "histograms of metrics are not cumulative",
    edits: [
      {
        file: `${ADMIN}/metrics/exposition.ts`,
        find: "    total += counts[i] ?? 0;\n",
        replace: "    total = counts[i] ?? 0;\n",
      },
    ],
    tests: ["test/admin/metrics.test.ts"],
  },
  {
    name: "others-speak",
    breaks: "a node is believed what it says of another's journal",
    edits: [
      {
        file: `${ADMIN}/journal/nodes_journal.ts`,
        find: "kept.value.filter((each) => each.node === node);",
        replace: "kept.value;",
      },
    ],
    tests: ["test/admin/messages.test.ts"],
  },
  {
    name: "webhook-waits",
    breaks: "what waits for a webhook that does not answer grows without an end",
    edits: [
      {
        file: `${ADMIN}/webhooks.ts`,
        find: "if (this.#queue.length > WEBHOOK_QUEUE_MAX) {",
        replace: "if (this.#queue.length > 1e9) {",
      },
    ],
    tests: ["test/admin/webhooks.test.ts"],
  },
  {
    name: "action-unseen",
    breaks: "an action that fails is not written down",
    edits: [
      {
        file: `${ADMIN}/actions.ts`,
        find: "  parts.record({\n",
        replace: "  if (done.ok) parts.record({\n",
      },
    ],
    tests: ["test/admin/actions.test.ts"],
  },
  {
    name: "look-asks-all",
    breaks: "a page that is watched has each node read its list of nodes at each look",
    edits: [
      {
        file: "src/roles/admind_look.ts",
        find: "leaderAsKnown: true, settledOf",
        replace: "leaderAsKnown: true",
      },
    ],
    tests: LOOK,
  },
];
