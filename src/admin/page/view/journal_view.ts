/** The journal: filters, the timeline with its tools, and events as a list that is turned page by page. */
import type { Entry } from "../model/documents.ts";
import { keyOf } from "../model/entries.ts";
import { type Filter, isGroup } from "../model/filter.ts";
import { GROUPS, kindName, levelOf } from "../model/kinds.ts";
import { LIST_ROWS } from "../model/limits.ts";
import { countText } from "../model/numbers.ts";
import { durationText, isoTime, preciseText, shortText, zoneText } from "../model/time.ts";
import { panned, spanMsOf, type TimeWindow, zoomed } from "../model/timeline.ts";
import { byId, element, setAttributes, setText } from "./element.ts";
import { KeyedList, type KeyedRow } from "./keyed.ts";
import { levelSign, showLevel } from "./marks.ts";
import type { PageState } from "./page_state.ts";
import { showTimeline, showWindowText, type TimelineVerbs } from "./timeline_view.ts";

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
const WORDS_REST_MS = 200;

export interface JournalVerbs {
  explain(entry: Entry): void;
  showWindow(window: TimeWindow): void;
  showSpan(spanMs: number): void;
  filter(filter: Filter): void;
  older(beforeUs: number): void;
}

export function showJournal(state: PageState, verbs: JournalVerbs): TimelineVerbs {
  const timeline: TimelineVerbs = {
    entries: () => state.filtered,
    explain: verbs.explain,
    show: verbs.showWindow,
  };
  showFilters(state, verbs);
  showTimeline(byId("timeline", HTMLElement), state, timeline);
  showTools(state, verbs);
  showList(state, verbs);
  return timeline;
}

function showFilters(state: PageState, verbs: JournalVerbs): void {
  const form = byId("filters", HTMLFormElement);
  const node = byId("filter-node", HTMLSelectElement);
  const words = byId("filter-words", HTMLInputElement);
  const weighty = byId("filter-weighty", HTMLInputElement);
  const chips = GROUPS.map((group) => {
    const box = element("input", { type: "checkbox", value: group });
    const chip = element("label", { class: "chip-box" }, box, element("span", {}, group));
    return { box, chip };
  });
  byId("filter-groups", HTMLElement).append(...chips.map(({ chip }) => chip));
  const options = new KeyedList<number>(node, String, (value) => ({
    root: element("option", { value: value < 0 ? "" : value }, value < 0 ? "all" : String(value)),
    update() {},
  }));
  node.replaceChildren();
  let timer: number | undefined;
  const read = () => {
    verbs.filter({
      groups: chips
        .filter(({ box }) => box.checked)
        .map(({ box }) => box.value)
        .filter(isGroup),
      node: node.value === "" ? null : Number(node.value),
      words: words.value,
      weighty: weighty.checked,
    });
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", read);
  words.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(read, WORDS_REST_MS);
  });
  state.follow(() => {
    const { filter } = state;
    const known = state.cluster?.nodes.map((each) => each.node) ?? [];
    const wanted = filter.node === null || known.includes(filter.node) ? [] : [filter.node];
    options.update([-1, ...known, ...wanted]);
    for (const { box } of chips)
      box.checked = (filter.groups as readonly string[]).includes(box.value);
    const value = filter.node === null ? "" : String(filter.node);
    if (node.value !== value) node.value = value;
    if (document.activeElement !== words) words.value = filter.words;
    weighty.checked = filter.weighty;
  });
}

function showTools(state: PageState, verbs: JournalVerbs): void {
  const span = byId("span", HTMLSelectElement);
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
  });
  showWindowText(byId("window-text", HTMLElement), state, () => {
    const { fromUs, toUs } = state.window;
    const { nowUs, zone } = state;
    const from = shortText(fromUs, nowUs, zone);
    const to = state.followsNow ? "now" : shortText(toUs, nowUs, zone);
    const span = durationText(spanMsOf(state.window));
    return `${from} to ${to} (${span}), ${zoneText(nowUs, zone)}`;
  });
}

function showList(state: PageState, verbs: JournalVerbs): void {
  const root = byId("entries", HTMLElement);
  const newer = byId("newer", HTMLButtonElement);
  const older = byId("older", HTMLButtonElement);
  const text = byId("entries-text", HTMLElement);
  const none = byId("entries-none", HTMLElement);
  const caveats = new KeyedList<string>(byId("journal-caveats", HTMLElement), String, (caveat) => ({
    root: element("li", {}, caveat),
    update() {},
  }));
  const list = new KeyedList<Entry>(root, keyOf, (entry) => entryRow(entry, state, verbs));
  /** Events that are newer than the page's first. */
  let skipped = 0;
  let shownFor = "";
  const show = () => {
    // Of the past, what had happened until then.
    const until = state.atUs ?? Number.POSITIVE_INFINITY;
    const entries = state.filtered.filter(({ timeUs }) => timeUs <= until);
    const shownNow = `${JSON.stringify(state.filter)} ${state.atUs}`;
    if (shownNow !== shownFor) skipped = 0;
    shownFor = shownNow;
    skipped = Math.min(skipped, Math.max(entries.length - 1, 0));
    const end = entries.length - skipped;
    const page = entries.slice(Math.max(end - LIST_ROWS, 0), end).reverse();
    list.update(page);
    keepOneStop(root);
    const unloaded = isIncomplete(state);
    none.hidden = page.length > 0 || state.journalProblem !== undefined;
    newer.disabled = skipped === 0;
    older.disabled = end <= LIST_ROWS && !unloaded;
    const total = `${countText(entries.length)}${unloaded ? " and older ones" : ""}`;
    const count = `${countText(skipped + 1)} to ${countText(skipped + page.length)} of ${total}`;
    setText(text, state.journalProblem ?? (page.length === 0 ? "" : count));
    caveats.update(state.journalCaveats);
    older.dataset["before"] = String(entries[0]?.timeUs ?? state.window.toUs);
  };
  newer.addEventListener("click", () => {
    skipped = Math.max(skipped - LIST_ROWS, 0);
    show();
  });
  older.addEventListener("click", () => {
    skipped += LIST_ROWS;
    if (isIncomplete(state)) verbs.older(Number(older.dataset["before"]));
    show();
  });
  moveByArrows(root);
  state.followValues(() => {
    const { filter, atUs, zone, question, journalProblem, journalCaveats, completeFromUs } = state;
    // Of a window that follows the time only what is in it matters.
    const { length, 0: first } = state.filtered;
    const news = [state.entries.version, length, first, isIncomplete(state)];
    return [...news, filter, atUs, zone, question, journalProblem, journalCaveats, completeFromUs];
  }, show);
}

function isIncomplete({ completeFromUs, window }: PageState): boolean {
  return completeFromUs !== undefined && completeFromUs > window.fromUs;
}

function entryRow(entry: Entry, state: PageState, verbs: JournalVerbs): KeyedRow<Entry> {
  const level = levelOf(entry);
  const sign = levelSign(level);
  const time = element("time", { datetime: isoTime(entry.timeUs) });
  const button = element(
    "button",
    { type: "button", class: "entry", tabindex: -1 },
    time,
    element("span", { class: "entry-node" }, `node ${entry.node}`),
    sign,
    element("span", { class: "entry-kind" }, kindName(entry)),
    element("span", { class: "entry-text" }, entry.text),
  );
  button.addEventListener("click", () => verbs.explain(entry));
  return {
    root: element("li", { class: level }, button),
    update() {
      showLevel(sign, level);
      setText(time, preciseText(entry.timeUs, state.zone));
      const { question } = state;
      const asked =
        question?.subject === "event" && question.node === entry.node && question.id === entry.id;
      setAttributes(button, { "aria-current": asked ? "true" : undefined });
    },
  };
}

/** A list is one stop of the Tab key; arrows move inside. */
function keepOneStop(root: HTMLElement): void {
  const buttons = [...root.querySelectorAll<HTMLButtonElement>(".entry")];
  const stop = buttons.find((button) => button.tabIndex === 0) ?? buttons[0];
  for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
}

const MOVES: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowDown: (at, last) => Math.min(at + 1, last),
  ArrowUp: (at) => Math.max(at - 1, 0),
  Home: () => 0,
  End: (_, last) => last,
};

function moveByArrows(root: HTMLElement): void {
  root.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    const buttons = [...root.querySelectorAll<HTMLButtonElement>(".entry")];
    const { activeElement } = document;
    const at = activeElement instanceof HTMLButtonElement ? buttons.indexOf(activeElement) : -1;
    if (move === undefined || at < 0) return;
    event.preventDefault();
    const next = buttons[move(at, buttons.length - 1)];
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next?.focus();
  });
}
