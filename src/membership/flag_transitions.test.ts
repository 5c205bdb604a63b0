import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NODE_FLAGS } from "../wire/constants.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import { allowedFlags, FLAG_TRANSITIONS, mayTellFlags } from "./flag_transitions.ts";

const FLAGS = Object.values(NODE_FLAGS);
const ALL = FLAGS.reduce((all, flag) => all | flag, 0);

/** As it stands in docs/daemon.md. */
function documentedTable(): string {
  const words = (list: readonly string[]) => (list.length === 0 ? "–" : list.join(", "));
  const rows = FLAG_TRANSITIONS.map(
    ({ cause, of, sets, clears, by }) =>
      `| ${cause} | ${of} | ${words(sets)} | ${words(clears)} | ${by} |\n`,
  );
  return `| cause | whose | sets | clears | who may cause it |\n|---|---|---|---|---|\n${rows.join("")}`;
}

test("docs/daemon.md has the table of all transitions of flags", () => {
  const text = readFileSync(join(import.meta.dir, "../../docs/daemon.md"), "utf8");
  expect(text).toContain(documentedTable());
});

test("allowedFlags() lets each cause change what its row says, of whom it says, and nothing else", () => {
  for (const { cause, of, sets, clears } of FLAG_TRANSITIONS) {
    const set = allowedFlags(cause, of, 0, ALL);
    const cleared = allowedFlags(cause, of, ALL, 0);
    expect([cause, bits(set.flags), bits(ALL & ~cleared.flags)]).toEqual([
      cause,
      sets.length,
      clears.length,
    ]);
    expect([set.flags | set.refused, cleared.flags ^ cleared.refused]).toEqual([ALL, 0]);
    const other = of === "itself" ? "others" : "itself";
    expect(allowedFlags(cause, other, 0, ALL)).toEqual({ flags: 0, refused: ALL });
  }
});

function bits(flags: number): number {
  return FLAGS.filter((flag) => (flags & flag) !== 0).length;
}

test("Nobody tells a node that another is deleted, connected, or has flags that do not exist", () => {
  const { DELETED, DISCONNECTED, STOPPED, UNHEALTHY } = NODE_FLAGS;
  const told = (before: number, wanted: number) => allowedFlags("told", "others", before, wanted);
  expect(told(0, DELETED | STOPPED)).toEqual({ flags: STOPPED, refused: DELETED });
  expect(told(DELETED, UNHEALTHY)).toEqual({ flags: DELETED | UNHEALTHY, refused: DELETED });
  expect(told(DISCONNECTED, 0)).toEqual({ flags: DISCONNECTED, refused: DISCONNECTED });
  expect(told(0, 0x80000000)).toEqual({ flags: 0, refused: 0x80000000 });
});

test("mayTellFlags() takes the node itself, the leader and the own recovery daemon, anybody while there is no leader", () => {
  const may = (from: number, leader: number) => mayTellFlags({ from, about: 2, ownPnn: 0, leader });
  expect([2, 1, 0].map((from) => may(from, 1))).toEqual([true, true, true]);
  expect(may(3, 1)).toBe(false);
  expect(may(3, UNKNOWN_PNN)).toBe(true);
});
