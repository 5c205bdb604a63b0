/** Stories that several tests tell, and the words for them. */
import { expect } from "bun:test";
import type { JournalActor } from "../../src/base/journal_event.ts";
import type { WhyQuestion } from "../../src/journal/types.ts";
import { answerWhy } from "../../src/journal/why/answer_why.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import {
  explainWhole,
  type Happening,
  Story,
  type StoryOptions,
  treeText,
} from "./journal_story.ts";

const { DISCONNECTED, UNHEALTHY } = NODE_FLAGS;

export const own = (node: number): JournalActor => ({ node });
export const admin: JournalActor = { node: 1, pid: 4711, program: "ctdb" };

export async function why(question: WhyQuestion, story: Story): Promise<string> {
  const { answer, caveats } = await answerWhy(question, story);
  const text = answer === undefined ? "nothing is known\n" : treeText(answer);
  // What is read in pieces says the same as what is there as a whole.
  const whole = explainWhole(question, await story.events());
  if (question.atUs === undefined && story.options.clockAhead === undefined) {
    expect(whole === undefined ? "nothing is known\n" : treeText(whole)).toBe(text);
  }
  return [`\n${text}`, ...caveats.map((caveat) => `! ${caveat}\n`)].join("");
}

export function flags(
  target: number,
  before: number,
  after: number,
  reason: string,
  by = own(target),
) {
  return { kind: "flags", target, before, after, reason, by } as const;
}

export function story(happenings: readonly Happening[], options?: StoryOptions): Story {
  return new Story(happenings, options);
}

export const DISK_FULL: readonly Happening[] = [
  [
    2,
    10,
    {
      kind: "script_failed",
      event: "monitor",
      script: "05.system",
      result: 1,
      line: "ERROR: File system /data utilization 100% >= threshold 95%\n",
      duration_ms: 210,
    },
  ],
  [
    2,
    10.1,
    { kind: "event_failed", event: "monitor", status: "05.system failed", duration_ms: 230 },
  ],
  [2, 10.2, flags(2, 0, UNHEALTHY, "its monitor event failed")],
  [0, 10.3, flags(2, 0, UNHEALTHY, "it says so")],
  [1, 10.3, flags(2, 0, UNHEALTHY, "it says so")],
  [0, 11, { kind: "takeover_started", reason: "flags of node 2 changed" }, "recoverd"],
  [
    0,
    11.1,
    {
      kind: "address_assigned",
      address: "10.0.0.5",
      from: 2,
      to: 1,
      reason: "node 2 may not host it",
    },
    "takeover_helper",
  ],
  [
    2,
    11.2,
    {
      kind: "address_released",
      address: "10.0.0.5",
      interface: "eth1",
      duration_ms: 90,
      failure: null,
    },
  ],
  [
    1,
    11.4,
    {
      kind: "address_taken",
      address: "10.0.0.5",
      interface: "eth1",
      duration_ms: 110,
      failure: null,
    },
  ],
  [
    0,
    11.5,
    { kind: "takeover_ended", succeeded: true, reason: null, duration_ms: 500 },
    "recoverd",
  ],
];

export const KILLED: readonly Happening[] = [
  [0, 0, { kind: "leader", before: null, after: 2, reason: "it says so" }, "recoverd"],
  [0, 20, { kind: "link_down", peer: 2, reason: "connection reset by peer" }],
  [0, 20.01, flags(2, 0, DISCONNECTED | UNHEALTHY, "its link is lost", own(0))],
  [1, 20.02, { kind: "link_down", peer: 2, reason: "connection reset by peer" }],
  [0, 25, { kind: "election", reason: "the leader is silent" }, "recoverd"],
  [0, 26, { kind: "lock_taken", lock: "/shared/lock", duration_ms: 12 }, "recoverd"],
  [0, 27, { kind: "leader", before: 2, after: 0, reason: "it has the cluster lock" }, "recoverd"],
  [1, 27.1, { kind: "leader", before: 2, after: 0, reason: "it says so" }, "recoverd"],
  [
    0,
    27.5,
    {
      kind: "recovery_started",
      generation: 77,
      reason: "the vnn map has 3 nodes, expected the 2 active lmasters",
      nodes: [0, 1],
      culprit: null,
    },
    "recoverd",
  ],
  [1, 27.6, { kind: "recovery_mode", active: true, generation: 5, reason: "node 0 asked for it" }],
  [
    1,
    27.9,
    { kind: "recovery_mode", active: false, generation: 77, reason: "the recovery is over" },
  ],
  [
    0,
    28,
    { kind: "recovery_ended", generation: 77, succeeded: true, reason: null, duration_ms: 500 },
    "recoverd",
  ],
  [2, 60, { kind: "gap", missing: null, reason: "ctdbd ended before all was kept" }],
  [2, 60.01, { kind: "process_started", process: "ctdbd", pid: 900, version: "0.1.0" }],
];
