import { expect, test } from "bun:test";
import { digestOf } from "../../test/support/memory_pending_file.ts";
import type { FileContent } from "../platform/types/pending_file.ts";
import type { NodesFileStep } from "../wire/nodes_file_messages.ts";
import { judgeStep } from "./nodes_change.ts";

const OLD = "10.0.0.1\n10.0.0.2\n";
const NEW = `${OLD}10.0.0.3\n`;
const OTHER = `${OLD}10.0.0.4\n`;
const OWN = { pnn: 1, address: "10.0.0.2" };

function content(text: string | undefined): FileContent | undefined {
  return text === undefined ? undefined : { text, digest: digestOf(text) };
}

function judged(step: NodesFileStep, present: string | undefined, next?: string) {
  return judgeStep(step, { present: content(present), next: content(next) }, OWN).act;
}

const before = digestOf(OLD);
const after = digestOf(NEW);

test("judgeStep() prepares a change of the file that it began with, once", () => {
  const prepare = (text: string) => ({ step: "prepare", before, text }) as const;
  expect(judged(prepare(NEW), OLD)).toBe("prepare");
  expect(judged(prepare(NEW), OLD, NEW)).toBe("nothing");
  expect(judged(prepare(NEW), NEW)).toBe("nothing");
  expect(judged(prepare(NEW), OTHER)).toBe("refuse");
  expect(judged(prepare(NEW), OLD, OTHER)).toBe("refuse");
  expect(judged(prepare(NEW), undefined)).toBe("refuse");
});

test("judgeStep() refuses a file that cannot be read, or in which this node is another one", () => {
  for (const text of ["10.0.0.1\nnode2\n", "10.0.0.2\n10.0.0.1\n", "10.0.0.1\n#10.0.0.2\n", ""]) {
    expect([text, judged({ step: "prepare", before, text }, OLD)]).toEqual([text, "refuse"]);
  }
});

test("judgeStep() installs what was prepared while the file is the old one", () => {
  const install = { step: "install", before, after } as const;
  expect(judged(install, OLD, NEW)).toBe("install");
  expect(judged(install, NEW)).toBe("nothing");
  expect(judged(install, NEW, NEW)).toBe("drop");
  expect(judged(install, OLD)).toBe("refuse");
  expect(judged(install, OLD, OTHER)).toBe("refuse");
  expect(judged(install, OTHER, NEW)).toBe("refuse");
});

test("judgeStep() drops only the change that is meant", () => {
  const drop = { step: "drop", after } as const;
  expect(judged(drop, OLD, NEW)).toBe("drop");
  expect(judged(drop, OLD)).toBe("nothing");
  expect(judged(drop, OLD, OTHER)).toBe("refuse");
});
