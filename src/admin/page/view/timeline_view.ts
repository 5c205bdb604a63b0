/**
 * The timeline as a picture: a lane for each node, a mark for what happened there. A wheel zooms, a drag selects; keyboards
 * have buttons for both, and the list below says all of it in words.
 */
import type { Entry } from "../model/documents.ts";
import type { Level } from "../model/flags.ts";
import { plural } from "../model/numbers.ts";
import { durationText } from "../model/time.ts";
import {
  type Mark,
  marksOf,
  panned,
  positionOf,
  spanMsOf,
  type Tick,
  type TimeWindow,
  ticksOf,
  zoomed,
} from "../model/timeline.ts";
import { element, setAttributes, setText, svgElement } from "./element.ts";
import type { PageState } from "./page_state.ts";

const LANE_HEIGHT = 18;
const LABEL_WIDTH = 22;
const AXIS_HEIGHT = 18;
const COLUMN_WIDTH = 7;
const TICK_WIDTH = 90;
const WHEEL_FACTOR = 1.25;
const DRAG_MIN = 6;

export interface TimelineVerbs {
  /** What is shown: filtered, of the window. */
  entries(): readonly Entry[];
  explain(entry: Entry): void;
  show(window: TimeWindow): void;
}

export function showTimeline(root: HTMLElement, state: PageState, verbs: TimelineVerbs): void {
  const picture = svgElement("svg", { role: "img", preserveAspectRatio: "none" });
  root.append(picture);
  const draw = () => {
    const width = Math.max(root.clientWidth, 200);
    drawTimeline(picture, width, state, verbs);
  };
  state.followValues(() => pictureOf(state, root.clientWidth), draw);
  new ResizeObserver(draw).observe(root);
  zoomByWheel(picture, state, verbs);
  selectByDrag(root, picture, state, verbs);
}

function drawTimeline(
  picture: SVGSVGElement,
  width: number,
  state: PageState,
  verbs: TimelineVerbs,
): void {
  const { window, zone, atUs } = state;
  const entries = verbs.entries();
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
  verbs: TimelineVerbs,
  window: TimeWindow,
): readonly SVGElement[] {
  const y = lane * LANE_HEIGHT + LANE_HEIGHT / 2;
  return [
    svgElement("line", { class: "lane", x1: LABEL_WIDTH, x2: width, y1: y, y2: y }),
    svgElement("text", { class: "lane-name", x: 2, y: y + 4 }, String(node)),
    ...marks.map((mark) => markPart(mark, y, verbs, window)),
  ];
}

function markPart(mark: Mark, y: number, verbs: TimelineVerbs, window: TimeWindow): SVGElement {
  const x = LABEL_WIDTH + (mark.column + 0.5) * COLUMN_WIDTH;
  const size = Math.min(3 + Math.log2(mark.entries.length), 6.5);
  const [first] = mark.entries;
  const shape = svgElement("path", { d: markShape(mark.level, x, y, size) });
  const group = svgElement("g", { class: `mark ${mark.level}` }, shape);
  group.append(svgElement("title", {}, markTitle(mark)));
  group.addEventListener("click", () => {
    if (first === undefined) return;
    const only = mark.entries.length === 1 || spanMsOf(window) < 60_000;
    if (only) verbs.explain(mark.entries.findLast(() => true) ?? first);
    else verbs.show(around(mark.entries));
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

function timeAt(picture: SVGSVGElement, clientX: number, window: TimeWindow): number {
  const { left, width } = picture.getBoundingClientRect();
  const share = (clientX - left - LABEL_WIDTH) / Math.max(width - LABEL_WIDTH, 1);
  return window.fromUs + Math.min(Math.max(share, 0), 1) * (window.toUs - window.fromUs);
}

/** With Ctrl, as maps do; sideways it moves. A plain wheel scrolls the page. */
function zoomByWheel(picture: SVGSVGElement, state: PageState, verbs: TimelineVerbs): void {
  picture.addEventListener(
    "wheel",
    (event) => {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!event.ctrlKey && !event.metaKey && !sideways) return;
      event.preventDefault();
      const { window, nowUs } = state;
      if (sideways) return verbs.show(panned(window, event.deltaX / 800, nowUs));
      const factor = event.deltaY > 0 ? WHEEL_FACTOR : 1 / WHEEL_FACTOR;
      verbs.show(zoomed(window, factor, timeAt(picture, event.clientX, window), nowUs));
    },
    { passive: false },
  );
}

function selectByDrag(
  root: HTMLElement,
  picture: SVGSVGElement,
  state: PageState,
  verbs: TimelineVerbs,
): void {
  const selection = element("div", { class: "selection", hidden: true });
  root.append(selection);
  let beganX: number | undefined;
  picture.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.pointerType === "mouse") beganX = event.clientX;
  });
  addEventListener("pointermove", ({ clientX }) => {
    if (beganX === undefined) return;
    const { left } = root.getBoundingClientRect();
    selection.hidden = Math.abs(clientX - beganX) < DRAG_MIN;
    selection.style.left = `${Math.min(beganX, clientX) - left}px`;
    selection.style.width = `${Math.abs(clientX - beganX)}px`;
  });
  addEventListener("pointerup", ({ clientX }) => {
    if (beganX === undefined) return;
    const ends = [beganX, clientX].sort((one, other) => one - other);
    const [fromUs = 0, toUs = 0] = ends.map((each) => timeAt(picture, each, state.window));
    const dragged = Math.abs(clientX - beganX) >= DRAG_MIN;
    beganX = undefined;
    selection.hidden = true;
    if (dragged) verbs.show({ fromUs, toUs });
  });
}

/** One lane of all nodes, behind the slider. */
export function showDensity(root: HTMLElement, state: PageState, verbs: TimelineVerbs): void {
  const picture = svgElement("svg", { "aria-hidden": "true", focusable: "false" });
  root.append(picture);
  const draw = () => {
    const width = Math.max(root.clientWidth, 100);
    const height = Math.max(root.clientHeight, 10);
    const columns = Math.floor(width / 4);
    const marks = marksOf(verbs.entries(), state.window, columns);
    const most = Math.max(...marks.map(({ entries }) => entries.length), 1);
    setAttributes(picture, { viewBox: `0 0 ${width} ${height}`, width, height });
    picture.replaceChildren(
      ...marks.map(({ column, level, entries }) => {
        const tall = Math.max(3, (Math.log1p(entries.length) / Math.log1p(most)) * height);
        const at = { x: column * 4, y: height - tall, width: 3, height: tall };
        return svgElement("rect", { class: `mark ${level}`, ...at });
      }),
    );
  };
  state.followValues(() => pictureOf(state, root.clientWidth), draw);
  new ResizeObserver(draw).observe(root);
}

/** What the pictures are drawn of; time moves them when it has moved them by a point. */
function pictureOf(state: PageState, width: number): readonly unknown[] {
  const { window, filter, zone, atUs, completeFromUs, entries, cluster } = state;
  const pointUs = (window.toUs - window.fromUs) / Math.max(width, 1);
  const place = [Math.round(window.fromUs / pointUs), Math.round(pointUs)];
  return [...place, entries.version, filter, zone, atUs, completeFromUs, cluster?.nodes.length];
}

/** For the words beside the tools. */
export function showWindowText(target: HTMLElement, state: PageState, text: () => string): void {
  state.follow(() => setText(target, text()));
}
