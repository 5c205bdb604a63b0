/**
 * The timeline as a picture: a lane for each node, a mark for what happened there. The list below says all of it in words.
 */
import type { Entry } from "../model/documents.ts";
import { plural } from "../model/numbers.ts";
import { durationText } from "../model/time.ts";
import {
  type Mark,
  marksOf,
  positionOf,
  spanMsOf,
  type Tick,
  type TimeWindow,
  ticksOf,
} from "../model/timeline.ts";
import { setAttributes, svgElement } from "./element.ts";
import type { PageState } from "./page_state.ts";
import { selectByDrag, zoomByWheel } from "./timeline_gestures.ts";
import { type MarkVerbs, markPart } from "./timeline_marks.ts";

const LANE_HEIGHT = 18;
const LABEL_WIDTH = 22;
const AXIS_HEIGHT = 18;
const COLUMN_WIDTH = 7;
const TICK_WIDTH = 90;
const WIDTH_MIN = 200;

export function showTimeline(root: HTMLElement, state: PageState, verbs: MarkVerbs): void {
  const picture = svgElement("svg", { role: "img", preserveAspectRatio: "none" });
  root.append(picture);
  const draw = () => {
    drawTimeline(picture, Math.max(root.clientWidth, WIDTH_MIN), state, verbs);
  };
  state.followValues(() => pictureOf(state, root.clientWidth), draw);
  new ResizeObserver(draw).observe(root);
  const timeline = { root, picture, labelWidth: LABEL_WIDTH };
  zoomByWheel(timeline, state, (window) => verbs.showWindow(window));
  selectByDrag(timeline, state, (window) => verbs.showWindow(window));
}

/** What the pictures are drawn of; time moves them when it has moved them by a point. */
export function pictureOf(state: PageState, width: number): readonly unknown[] {
  const { window, filter, zone, atUs, completeFromUs, entries, cluster } = state;
  const pointUs = (window.toUs - window.fromUs) / Math.max(width, 1);
  const place = [Math.round(window.fromUs / pointUs), Math.round(pointUs)];
  return [...place, entries.version, filter, zone, atUs, completeFromUs, cluster?.nodes.length];
}

function drawTimeline(
  picture: SVGSVGElement,
  width: number,
  state: PageState,
  verbs: MarkVerbs,
): void {
  const { window, zone, atUs } = state;
  const entries = state.filtered;
  const nodes = lanesOf(state, entries);
  const height = nodes.length * LANE_HEIGHT + AXIS_HEIGHT;
  const inner = width - LABEL_WIDTH;
  const columns = Math.floor(inner / COLUMN_WIDTH);
  setAttributes(picture, {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    "aria-label": `Timeline of ${durationText(spanMsOf(window))}: ${plural(entries.length, "event")}, in words in the list below`,
  });
  const x = (us: number) => LABEL_WIDTH + positionOf(us, window) * inner;
  const unloadedTo = state.completeFromUs;
  picture.replaceChildren(
    ...ticksOf(window, Math.floor(inner / TICK_WIDTH), zone).map((tick) =>
      tickPart(tick, x(tick.us), height),
    ),
    ...(unloadedTo !== undefined && unloadedTo > window.fromUs
      ? [unloadedPart(LABEL_WIDTH, x(unloadedTo), height - AXIS_HEIGHT)]
      : []),
    ...nodes.flatMap((node, lane) => {
      const own = entries.filter((entry) => entry.node === node);
      return lanePart(node, lane, width, marksOf(own, window, columns), verbs, window);
    }),
    ...(atUs !== undefined && atUs >= window.fromUs && atUs <= window.toUs
      ? [svgElement("line", { class: "playhead", x1: x(atUs), x2: x(atUs), y1: 0, y2: height })]
      : []),
  );
}

function lanesOf(state: PageState, entries: readonly Entry[]): readonly number[] {
  const known = state.cluster?.nodes.map(({ node }) => node) ?? [];
  const nodes = new Set([...known, ...entries.map(({ node }) => node)]);
  const wanted = state.filter.node;
  return [...nodes]
    .filter((node) => wanted === null || node === wanted)
    .sort((one, other) => one - other);
}

function tickPart({ text, major }: Tick, x: number, height: number): SVGElement {
  return svgElement(
    "g",
    { class: major ? "tick major" : "tick" },
    svgElement("line", { x1: x, x2: x, y1: 0, y2: height - AXIS_HEIGHT }),
    svgElement("text", { x: x + 3, y: height - 5 }, text),
  );
}

function unloadedPart(from: number, to: number, height: number): SVGElement {
  const title = svgElement("title", {}, "Older events are not loaded");
  return svgElement("rect", { class: "unloaded", x: from, y: 0, width: to - from, height }, title);
}

function lanePart(
  node: number,
  lane: number,
  width: number,
  marks: readonly Mark[],
  verbs: MarkVerbs,
  window: TimeWindow,
): readonly SVGElement[] {
  const y = lane * LANE_HEIGHT + LANE_HEIGHT / 2;
  return [
    svgElement("line", { class: "lane", x1: LABEL_WIDTH, x2: width, y1: y, y2: y }),
    svgElement("text", { class: "lane-name", x: 2, y: y + 4 }, String(node)),
    ...marks.map((mark) => {
      const x = LABEL_WIDTH + (mark.column + 0.5) * COLUMN_WIDTH;
      return markPart(mark, { x, y }, window, verbs);
    }),
  ];
}
