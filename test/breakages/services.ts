/** Breakages of the event daemon and of who talks to it; see list.ts. */
import type { Breakage } from "./breakage.ts";

const COMPONENT_TESTS = ["src/services/scripts/component.test.ts"];
const RUNNER_TESTS = ["src/services/eventd_events.test.ts"];

export const SERVICES_BREAKAGES: readonly Breakage[] = [
  {
    name: "monitor-not-cancelled",
    breaks: "an event waits until the monitor that runs has ended",
    edits: [
      {
        file: "src/services/scripts/component.ts",
        find: "if (current?.run.event === MONITOR) {",
        replace: "if (current?.run.event === 'none') {",
      },
    ],
    tests: COMPONENT_TESTS,
  },
  {
    name: "cancelled-script-runs-on",
    breaks: "the script of a cancelled monitor runs beside that of the next event",
    edits: [
      {
        file: "src/services/scripts/event_run.ts",
        find: "    this.#process?.kill();\n",
        replace: "",
      },
    ],
    tests: COMPONENT_TESTS,
  },
  {
    name: "script-of-a-dead-ctdbd",
    breaks: "an event daemon whose ctdbd is dead begins the scripts that are left",
    edits: [
      {
        file: "src/services/scripts/event_run.ts",
        find: "    if (this.#host.isOrphaned()) {",
        replace: "    if (this.#host === undefined) {",
      },
    ],
    tests: COMPONENT_TESTS,
  },
  {
    name: "hung-script-stays",
    breaks: "a script that hangs stays where there is no debug script, as with the original",
    edits: [
      {
        file: "src/services/scripts/hung_scripts.ts",
        find: "      hung.terminate();\n      return;",
        replace: "      return;",
      },
    ],
    tests: COMPONENT_TESTS,
  },
  {
    name: "deaf-script-stays",
    breaks: "a script that ignores SIGTERM is not killed",
    edits: [
      {
        file: "src/services/scripts/script_process.ts",
        find: 'after(TERMINATE_GRACE_MS, () => this.#child?.kill("SIGKILL"))',
        replace: "after(TERMINATE_GRACE_MS, () => undefined)",
      },
    ],
    tests: COMPONENT_TESTS,
  },
  {
    name: "last-good-lost",
    breaks: "a failure takes the last good run with it",
    edits: [
      {
        file: "src/services/scripts/component.ts",
        find: "outcome.summary === 0 ? outcome : before?.lastGood",
        replace: "outcome.summary === 0 ? outcome : undefined",
      },
    ],
    tests: COMPONENT_TESTS,
  },
  {
    name: "output-end-lost",
    breaks: "of what a script prints the beginning is kept only",
    edits: [
      {
        file: "src/services/scripts/bounded_output.ts",
        find: "    this.#tailBytes += useful.length;\n",
        replace: "",
      },
    ],
    tests: ["src/services/scripts/bounded_output.test.ts"],
  },
  {
    name: "eventd-waited-for",
    breaks: "an event daemon that does not answer is waited for for ever",
    edits: [
      {
        file: "src/services/eventd_events.ts",
        find: "    this.#answer(running, EVENT_TIMED_OUT);\n",
        replace: "",
      },
    ],
    tests: RUNNER_TESTS,
  },
  {
    name: "eventd-death-unanswered",
    breaks: "the death of the event daemon leaves events without an end",
    edits: [
      {
        file: "src/services/eventd_events.ts",
        find: "    for (const running of [...this.#running]) this.#answer(running, EIO);\n",
        replace: "",
      },
    ],
    tests: RUNNER_TESTS,
  },
  {
    name: "group-outlives-its-leader",
    breaks: "what ignores SIGTERM in the group of a script outlives it",
    edits: [
      {
        file: "src/platform/node/processes.ts",
        find: "this.#options.endsGroup === true && this.#signalled",
        replace: "this.#options.endsGroup === undefined && this.#signalled",
      },
    ],
    tests: ["src/platform/node/processes.test.ts"],
  },
];
