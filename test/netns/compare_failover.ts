/**
 * bun run test/netns/compare_failover.ts [--rounds N] [--only TEXT]
 *
 * What moves a public address, ours and Debian's in turn: medians of how long it takes until the address is on another host,
 * is announced, the client's connection is over, and a new session works. Needs root.
 */
import { parseArgs } from "node:util";
import { parsedOptions, wholeNumber } from "../support/options.ts";
import type { CtdbKind } from "./ctdb_node.ts";
import { CAUSES, type FailoverTimes, withFailoverWorld } from "./failover.ts";

const USAGE = `bun run test/netns/compare_failover.ts [OPTIONS]
  --rounds N    how often each is measured (1)
  --only TEXT   the causes whose names contain it`;
const KINDS: readonly CtdbKind[] = ["ours", "stock"];

const { values: options } = parsedOptions(USAGE, () =>
  parseArgs({
    options: {
      rounds: { type: "string", default: "1" },
      only: { type: "string", default: "" },
    },
  }),
);
const rounds = wholeNumber(USAGE, "rounds", options.rounds);

console.log("cause | kind | moved s | announced ms | reset ms | new session s | on two hosts");
for (const cause of CAUSES.filter(({ name }) => name.includes(options.only))) {
  const times = new Map<CtdbKind, FailoverTimes[]>(KINDS.map((kind) => [kind, []]));
  const overlaps = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    for (const kind of KINDS) {
      await withFailoverWorld(kind, { samba: [] }, async (world) => {
        await world.placed();
        times.get(kind)?.push(await world.measure(cause));
        if (world.overlaps().length > 0) overlaps.add(kind);
      });
    }
  }
  for (const kind of KINDS) {
    const all = times.get(kind) ?? [];
    const column = (value: (times: FailoverTimes) => number | undefined, divisor: number) => {
      const sorted = all.map((each) => value(each) ?? Number.NaN).sort((a, b) => a - b);
      const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
      return (middle / divisor).toFixed(divisor === 1 ? 0 : 2);
    };
    console.log(
      [
        cause.name,
        kind,
        column(({ movedMs }) => movedMs, 1000),
        column(({ announcedMs }) => announcedMs, 1),
        column(({ resetMs }) => resetMs, 1),
        column(({ sessionMs }) => sessionMs, 1000),
        overlaps.has(kind) ? "yes" : "no",
      ].join(" | "),
    );
  }
}
