/** Breakages of the cluster lock and its probe; see list.ts. */
import type { Breakage } from "./breakage.ts";

const LOCK = "src/lock/mutex_helper_lock.ts";
const HELPER = "src/lock/mutex_helper.ts";
const PROBE = "src/lock/mutex_helper_probe.ts";
const tests = ["test/contract/cluster_locks.test.ts"];

export const LOCK_BREAKAGES: readonly Breakage[] = [
  {
    name: "two-attempts",
    breaks: "a second attempt for the cluster lock begins while one runs",
    edits: [
      {
        file: LOCK,
        find: 'assert(this.#helper === undefined && this.#next === undefined, "one lock',
        replace: 'assert(this.#released !== undefined, "one lock',
      },
    ],
    tests,
  },
  {
    name: "answer-after-release",
    breaks: "an attempt for the cluster lock is answered although it was given up",
    edits: [
      { file: HELPER, find: '    this.#state = "stopped";\n', replace: "" },
      {
        file: LOCK,
        find: "if (helper !== this.#helper) return;\n        this.#held = outcome",
        replace: "this.#held = outcome",
      },
    ],
    tests,
  },
  {
    name: "lost-after-release",
    breaks: "a cluster lock that was released counts as lost when its helper ends",
    edits: [
      { file: HELPER, find: '    this.#state = "stopped";\n', replace: "" },
      {
        file: LOCK,
        find: "if (helper !== this.#helper) return;\n        this.#held = false;",
        replace: "this.#held = false;",
      },
    ],
    tests,
  },
  {
    name: "lost-but-held",
    breaks: "a cluster lock that was lost counts as held",
    edits: [
      {
        file: LOCK,
        find: "        this.#held = false;\n        this.#helper = undefined;",
        replace: "        this.#helper = undefined;",
      },
    ],
    tests,
  },
  {
    name: "contends-with-itself",
    breaks: "a node tries to take the cluster lock while its own helper still holds it",
    edits: [{ file: LOCK, find: "if (!this.#ending) {", replace: "if (timeoutMs >= 0) {" }],
    tests,
  },
  {
    name: "waits-for-its-helper",
    breaks: "an attempt for the cluster lock waits for ever for the end of the helper before",
    edits: [{ file: LOCK, find: "timers.after(timeoutMs,", replace: "timers.after(2 ** 31," }],
    tests,
  },
  {
    name: "waiting-attempt-goes-on",
    breaks: "an attempt for the cluster lock that waits is begun although it was given up",
    edits: [
      {
        file: LOCK,
        find: "    this.#takeNext();\n    if (this.#helper === undefined &&",
        replace: "    if (this.#helper === undefined &&",
      },
    ],
    tests,
  },
  {
    name: "released-too-early",
    breaks: "the cluster lock counts as released before its helper has ended",
    edits: [
      {
        file: LOCK,
        find: "if (released !== undefined) this.#released.push(released);",
        replace: "if (released !== undefined) this.#host.timers.soon(released);",
      },
    ],
    tests,
  },
  {
    name: "released-inside",
    breaks: "who releases a cluster lock that it does not have is told inside the call",
    edits: [
      {
        file: LOCK,
        find: "if (released !== undefined) this.#host.timers.soon(released);",
        replace: "released?.();",
      },
    ],
    tests,
  },
  {
    name: "silent-helper",
    breaks: "a mutex helper may take any time",
    edits: [
      { file: HELPER, find: "host.timers.after(timeoutMs,", replace: "host.timers.after(2 ** 31," },
    ],
    tests,
  },
  {
    name: "probe-keeps-the-lock",
    breaks: "the probe of the cluster lock keeps what it took",
    edits: [{ file: PROBE, find: "        helper.stop();\n", replace: "" }],
    tests,
  },
  {
    name: "probe-waits-long",
    breaks: "the probe of the cluster lock waits as long as the recovery daemon does",
    edits: [{ file: PROBE, find: "PROBE_TIMEOUT_MS, {", replace: "24 * PROBE_TIMEOUT_MS, {" }],
    tests,
  },
];
