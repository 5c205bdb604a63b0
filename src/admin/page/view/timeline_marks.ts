/** Marks of the timeline: what happened at one point of it, in one lane. */
import type { Entry } from "../model/documents.ts";
import type { Level } from "../model/flags.ts";
import { type Mark, spanMsOf, type TimeWindow } from "../model/timeline.ts";
import { svgElement } from "./element.ts";

export interface MarkVerbs {
  explain(entry: Entry): void;
  showWindow(window: TimeWindow): void;
}

/** A window that is narrower is close enough: of several events the last is explained. */
const CLOSE_MS = 60_000;
const SIZE_MIN = 3;
const SIZE_MAX = 6.5;

export function markPart(
  mark: Mark,
  { x, y }: { readonly x: number; readonly y: number },
  window: TimeWindow,
  verbs: MarkVerbs,
): SVGElement {
  const size = Math.min(SIZE_MIN + Math.log2(mark.entries.length), SIZE_MAX);
  const last = mark.entries.at(-1);
  const shape = svgElement("path", { d: markShape(mark.level, x, y, size) });
  const group = svgElement("g", { class: `mark ${mark.level}` }, shape);
  group.append(svgElement("title", {}, markTitle(mark)));
  group.addEventListener("click", () => {
    const explains = mark.entries.length === 1 || spanMsOf(window) < CLOSE_MS;
    if (!explains) verbs.showWindow(around(mark.entries));
    else if (last !== undefined) verbs.explain(last);
  });
  return group;
}

function markTitle({ entries }: Mark): string {
  return entries.length === 1 ? "One event: explain it" : `${entries.length} events: look closer`;
}

function around(entries: readonly Entry[]): TimeWindow {
  const fromUs = Math.min(...entries.map(({ timeUs }) => timeUs));
  const toUs = Math.max(...entries.map(({ timeUs }) => timeUs));
  const marginUs = Math.max((toUs - fromUs) * 0.2, 1_000_000);
  return { fromUs: fromUs - marginUs, toUs: toUs + marginUs };
}

/** Shapes differ as in marks.ts: a colour alone tells nothing to many. */
function markShape(level: Level, x: number, y: number, size: number): string {
  switch (level) {
    case "critical":
      return `M${x - size} ${y - size}h${2 * size}v${2 * size}h${-2 * size}z`;
    case "warning":
      return `M${x} ${y - size - 1}L${x + size + 1} ${y + size}H${x - size - 1}z`;
    case "notice":
      return `M${x} ${y - size}L${x + size} ${y}L${x} ${y + size}L${x - size} ${y}z`;
    case "good":
      return `M${x - 1.5} ${y - size}h3v${2 * size}h-3z`;
    default:
      return level satisfies never;
  }
}
