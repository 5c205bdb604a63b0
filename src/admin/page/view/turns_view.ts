/** How long each daemon did not listen: a row for each node, a column for each length, shaded by how often. */
import type { TurnFacts } from "../model/documents.ts";
import { countText } from "../model/numbers.ts";
import { durationText } from "../model/time.ts";
import { turnBars, turnLevel } from "../model/turns.ts";
import { byId, element, setAttributes, setText } from "./element.ts";
import { KeyedList, type KeyedRow } from "./keyed.ts";
import type { PageState } from "./page_state.ts";

/** Shades of a cell, beside none. */
const SHADES = 5;

export function showTurns(state: PageState): void {
  const section = byId("turns", HTMLElement);
  const head = new KeyedList<string>(byId("turn-head", HTMLElement), String, (title) => ({
    root: element("th", { scope: "col", class: title === "Node" ? "" : "figure" }, title),
    update() {},
  }));
  const rows = new KeyedList<TurnFacts>(
    byId("turn-rows", HTMLElement),
    // Other columns are another table.
    ({ node, buckets }) => `${node} of ${buckets.length}`,
    turnRow,
  );
  state.followShown((shown) => {
    const turns = shown.turns ?? [];
    section.hidden = turns.length === 0;
    const [first] = turns;
    if (first === undefined) return;
    head.update(["Node", "longest", ...turnBars(first).map(({ text }) => text)]);
    rows.update(turns);
  });
}

function turnRow({ node, buckets }: TurnFacts): KeyedRow<TurnFacts> {
  const longest = element("td", { class: "figure" });
  const cells = buckets.map(() => element("td", { class: "figure" }));
  const root = element("tr", {}, element("th", { scope: "row" }, String(node)), longest, ...cells);
  return {
    root,
    update(facts) {
      setText(longest, durationText(facts.longestMs));
      setAttributes(longest, { "data-level": turnLevel(facts.longestMs) });
      for (const [i, bar] of turnBars(facts).entries()) {
        const cell = cells[i];
        if (cell === undefined) return;
        setText(cell, countText(bar.count));
        const shade = bar.count === 0 ? 0 : Math.max(1, Math.round(bar.share * SHADES));
        setAttributes(cell, { "data-shade": shade, "data-level": bar.level });
      }
    },
  };
}
