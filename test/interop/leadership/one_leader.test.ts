import { expect, test } from "bun:test";
import { leadershipProblems, runsHaveEnded, termsOf } from "./one_leader.ts";

const line = (second: string, text: string) =>
  `2026-01-01T10:00:${second}+00:00 node ctdb-recoverd[7]: ${text}`;

const FIRST = [
  line("01.000000", "Took cluster lock, leader=0"),
  line("01.100000", "Starting recovery, new generation 5: node 1 is in recovery mode"),
  line("02.000000", "Takeover run starting"),
];
const SECOND = [
  line("10.000000", "Took cluster lock, leader=1"),
  line("10.100000", "Starting recovery, new generation 6: node 0 is in recovery mode"),
];
const MS = Date.parse("2026-01-01T10:00:00Z");

const problems = (first: readonly string[], second: readonly string[], claims: number[] = []) =>
  leadershipProblems(
    [
      { pnn: 0, text: first.join("\n") },
      { pnn: 1, text: second.join("\n") },
    ],
    claims.map((atMs) => ({ pnn: 0, atMs: MS + atMs })),
  );

test("leadershipProblems() finds nothing wrong with one leader after the other", () => {
  // It noticed late, and had done nothing meanwhile.
  const late = line(
    "15.000000",
    "Cluster lock lost: its helper does not prove that it still has it",
  );
  expect(problems([...FIRST, late], SECOND, [2000, 9500])).toEqual([]);
  expect(termsOf([{ pnn: 1, text: SECOND.join("\n") }])).toEqual([{ pnn: 1, fromMs: MS + 10_000 }]);
});

test("leadershipProblems() finds a leader that goes on after another has taken the lock", () => {
  for (const act of ["Recovery complete after 9000 ms", "Takeover run starting"]) {
    const found = problems([...FIRST, line("11.000000", act)], SECOND);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("10:00:11.000: node 0 acts");
    expect(found[0]).toContain("node 1 leads");
  }
});

test("leadershipProblems() finds a claim to lead that is heard in the term of another", () => {
  expect(problems(FIRST, SECOND, [12_000])).toHaveLength(1);
  // It was on its way.
  expect(problems(FIRST, SECOND, [10_200])).toEqual([]);
  // The first one after the lock was taken.
  expect(problems(FIRST, [], [1001])).toEqual([]);
  expect(problems(FIRST, [], [900])).toHaveLength(1);
});

test("leadershipProblems() finds one that acts without ever having had the lock", () => {
  const stray = line("05.000000", "Banning node 0 for 300 seconds");
  expect(problems(FIRST, [stray])).toHaveLength(1);
  expect(problems([], [stray])[0]).toContain("nobody has taken the lock");
});

test("leadershipProblems() lets a line that counts late speak of the time that it names", () => {
  const counted = (text: string) => [...FIRST, line("11.000000", text)];
  expect(problems(counted("Takeover run starting (1 more in 1.5 s)"), SECOND)).toEqual([]);
  expect(problems(counted("Takeover run starting (1 more in 0.9 s)"), SECOND)).toHaveLength(1);
});

test("leadershipProblems() takes a node back that has taken the lock again", () => {
  const again = [
    line("20.000000", "Took cluster lock, leader=0"),
    line("21.000000", "Takeover run starting"),
  ];
  expect(problems([...FIRST, ...again], SECOND)).toEqual([]);
});

test("runsHaveEnded() tells whether a leader is in the middle of a run, by each kind and its last", () => {
  const ended = (...texts: readonly string[]) =>
    runsHaveEnded(texts.map((text) => line("01.000000", text)).join("\n"));
  const [recovery, recovered] = [
    "Starting recovery, new generation 5: x",
    "Recovery complete after 9 ms",
  ];
  const [takeover, taken] = ["Takeover run starting", "Takeover run completed successfully"];
  expect(ended()).toBe(true);
  expect(ended(recovery, takeover, taken)).toBe(false);
  expect(ended(recovery, takeover, taken, recovered)).toBe(true);
  expect(ended(recovery, "Recovery failed (1 in a row): x", takeover)).toBe(false);
  expect(ended(takeover, taken, takeover)).toBe(false);
  expect(ended(takeover, "Takeover run unsuccessful")).toBe(true);
});
