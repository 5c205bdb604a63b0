/** The window of the timeline, by buttons and a list: what a wheel and a drag do for those who have them. */
import { durationText, shortText, zoneText } from "../model/time.ts";
import { panned, spanMsOf, type TimeWindow, zoomed } from "../model/timeline.ts";
import { byId, element, setText } from "./element.ts";
import type { PageState } from "./page_state.ts";

const HOUR_MS = 3600 * 1000;
const SPANS: readonly (readonly [text: string, ms: number])[] = [
  ["1 min", 60_000],
  ["15 min", 15 * 60_000],
  ["1 h", HOUR_MS],
  ["6 h", 6 * HOUR_MS],
  ["1 d", 24 * HOUR_MS],
  ["7 d", 7 * 24 * HOUR_MS],
  ["30 d", 30 * 24 * HOUR_MS],
];
const ZOOM_FACTOR = 2;
const PAN_SHARE = 0.5;

export interface WindowVerbs {
  showWindow(window: TimeWindow): void;
  showSpan(spanMs: number): void;
}

export function showTimelineTools(state: PageState, verbs: WindowVerbs): void {
  const span = byId("span", HTMLSelectElement);
  const text = byId("window-text", HTMLElement);
  const other = element("option", { value: "", hidden: true }, "other");
  span.append(...SPANS.map(([text, ms]) => element("option", { value: ms }, text)), other);
  span.addEventListener("change", () => {
    if (span.value !== "") verbs.showSpan(Number(span.value));
  });
  const press = (id: string, change: (window: TimeWindow) => TimeWindow) => {
    byId(id, HTMLElement).addEventListener("click", () => verbs.showWindow(change(state.window)));
  };
  const anchor = ({ fromUs, toUs }: TimeWindow) =>
    state.atUs ?? (state.followsNow ? toUs : (fromUs + toUs) / 2);
  press("pan-back", (window) => panned(window, -PAN_SHARE, state.nowUs));
  press("pan-forth", (window) => panned(window, PAN_SHARE, state.nowUs));
  press("zoom-in", (window) => zoomed(window, 1 / ZOOM_FACTOR, anchor(window), state.nowUs));
  press("zoom-out", (window) => zoomed(window, ZOOM_FACTOR, anchor(window), state.nowUs));
  state.follow(() => {
    const ms = String(Math.round(spanMsOf(state.window)));
    const known = SPANS.some(([, each]) => String(each) === ms);
    if (document.activeElement !== span) span.value = known ? ms : "";
    byId("pan-forth", HTMLButtonElement).disabled = state.followsNow;
    setText(text, windowText(state));
  });
}

function windowText({ window, followsNow, nowUs, zone }: PageState): string {
  const from = shortText(window.fromUs, nowUs, zone);
  const to = followsNow ? "now" : shortText(window.toUs, nowUs, zone);
  return `${from} to ${to} (${durationText(spanMsOf(window))}), ${zoneText(nowUs, zone)}`;
}
