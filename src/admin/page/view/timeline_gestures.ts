/** A wheel zooms the timeline and a drag selects a part of it; keyboards have buttons for both (timeline_tools.ts). */
import { panned, type TimeWindow, zoomed } from "../model/timeline.ts";
import { element } from "./element.ts";
import type { PageState } from "./page_state.ts";

const WHEEL_FACTOR = 1.25;
/** Points of a wheel that move by the whole window. */
const WHEEL_POINTS = 800;
const DRAG_MIN = 6;

export interface TimelinePicture {
  readonly root: HTMLElement;
  readonly picture: SVGSVGElement;
  /** Left of where time begins. */
  readonly labelWidth: number;
}

type Show = (window: TimeWindow) => void;

function timeAt(
  { picture, labelWidth }: TimelinePicture,
  clientX: number,
  window: TimeWindow,
): number {
  const { left, width } = picture.getBoundingClientRect();
  const share = (clientX - left - labelWidth) / Math.max(width - labelWidth, 1);
  return window.fromUs + Math.min(Math.max(share, 0), 1) * (window.toUs - window.fromUs);
}

/** With Ctrl, as maps do; sideways it moves. A plain wheel scrolls the page. */
export function zoomByWheel(timeline: TimelinePicture, state: PageState, show: Show): void {
  timeline.picture.addEventListener(
    "wheel",
    (event) => {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!event.ctrlKey && !event.metaKey && !sideways) return;
      event.preventDefault();
      const { window, nowUs } = state;
      if (sideways) return show(panned(window, event.deltaX / WHEEL_POINTS, nowUs));
      const factor = event.deltaY > 0 ? WHEEL_FACTOR : 1 / WHEEL_FACTOR;
      show(zoomed(window, factor, timeAt(timeline, event.clientX, window), nowUs));
    },
    { passive: false },
  );
}

export function selectByDrag(timeline: TimelinePicture, state: PageState, show: Show): void {
  const { root, picture } = timeline;
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
    const [fromUs = 0, toUs = 0] = ends.map((each) => timeAt(timeline, each, state.window));
    const dragged = Math.abs(clientX - beganX) >= DRAG_MIN;
    beganX = undefined;
    selection.hidden = true;
    if (dragged) show({ fromUs, toUs });
  });
}
