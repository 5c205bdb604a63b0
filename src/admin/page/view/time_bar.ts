/** The bar at the foot: a slider over what happened, to see the cluster as it was; and the way back to now. */
import type { Entry } from "../model/documents.ts";
import { matches } from "../model/filter.ts";
import { levelOf } from "../model/kinds.ts";
import { REST_MS } from "../model/limits.ts";
import {
  dayText,
  inputText,
  parseInputUs,
  preciseText,
  shortText,
  zoneText,
} from "../model/time.ts";
import { positionOf } from "../model/timeline.ts";
import { showDensity } from "./density_view.ts";
import { byId, setAttributes, setText } from "./element.ts";
import type { PageState } from "./page_state.ts";

export interface TimeVerbs {
  /** undefined: now. */
  travel(atUs: number | undefined): void;
}

export function showTimeBar(state: PageState, verbs: TimeVerbs): void {
  const bar = byId("time-bar", HTMLElement);
  const slider = byId("slider", HTMLInputElement);
  const at = byId("at", HTMLInputElement);
  const now = byId("now", HTMLButtonElement);
  const zone = byId("at-zone", HTMLElement);
  const stepsMax = Number(slider.max);
  let timer: number | undefined;
  let moving = false;

  const timeOfSlider = () => {
    const { fromUs, toUs } = state.window;
    return fromUs + (Number(slider.value) / stepsMax) * (toUs - fromUs);
  };
  slider.addEventListener("input", () => {
    moving = true;
    clearTimeout(timer);
    const us = Number(slider.value) >= stepsMax && state.followsNow ? undefined : timeOfSlider();
    say(us);
    timer = setTimeout(() => {
      moving = false;
      verbs.travel(us);
    }, REST_MS);
  });
  const say = (us: number | undefined) => {
    const text = us === undefined ? "now" : shortText(us, state.nowUs, state.zone);
    setAttributes(slider, { "aria-valuetext": text });
  };
  at.addEventListener("change", () => {
    const us = parseInputUs(at.value, state.zone);
    if (us !== undefined) verbs.travel(us >= state.nowUs ? undefined : us);
  });
  now.addEventListener("click", () => verbs.travel(undefined));
  step("step-back", state, "before", verbs);
  step("step-forth", state, "after", verbs);
  showDensity(byId("density", HTMLElement), state);
  showBanner(state, verbs);

  state.follow(() => {
    bar.hidden = state.cluster === undefined;
    const us = state.atUs ?? state.nowUs;
    const position = Math.min(Math.max(positionOf(us, state.window), 0), 1);
    if (!moving) {
      const value = String(Math.round(position * stepsMax));
      if (slider.value !== value) slider.value = value;
      say(state.atUs);
    }
    if (document.activeElement !== at) at.value = inputText(us, state.zone);
    setText(zone, zoneText(us, state.zone));
    now.disabled = state.atUs === undefined && state.followsNow;
  });
}

/** To the event before, or after, of those that are shown and change something. */
function step(id: string, state: PageState, way: "before" | "after", verbs: TimeVerbs): void {
  const wanted = (entry: Entry) => matches(state.filter, entry) && levelOf(entry) !== "good";
  byId(id, HTMLElement).addEventListener("click", () => {
    const entry = state.entries.neighbour(state.atUs ?? state.nowUs, way, wanted);
    if (entry !== undefined) verbs.travel(entry.timeUs);
    else if (way === "after") verbs.travel(undefined);
  });
}

/** Who looks at the past must never take it for now. */
function showBanner(state: PageState, verbs: TimeVerbs): void {
  const banner = byId("past", HTMLElement);
  const title = byId("past-title", HTMLElement);
  const text = byId("past-text", HTMLElement);
  byId("past-leave", HTMLElement).addEventListener("click", () => verbs.travel(undefined));
  state.follow(() => {
    const { atUs, past, pastProblem, zone } = state;
    banner.hidden = atUs === undefined;
    if (atUs === undefined) return;
    const clock = `${dayText(atUs, zone)}, ${preciseText(atUs, zone)} ${zoneText(atUs, zone)}`;
    setText(title, `The past: ${clock}.`);
    const caveats = past?.caveats.join(" ") ?? "";
    const known =
      past === undefined ? "Asking the journals …" : `As the journals tell it. ${caveats}`;
    setText(text, pastProblem ?? known);
  });
}
