/** Events as a list that is turned page by page, the newest first; of the past, what had happened until then. */
import type { Entry } from "../model/documents.ts";
import { keyOf } from "../model/entries.ts";
import { kindName, levelOf } from "../model/kinds.ts";
import { LIST_ROWS } from "../model/limits.ts";
import { countText } from "../model/numbers.ts";
import { isoTime, preciseText } from "../model/time.ts";
import { byId, element, setAttributes, setText } from "./element.ts";
import { KeyedList, type KeyedRow } from "./keyed.ts";
import { levelSign, showLevel } from "./marks.ts";
import type { PageState } from "./page_state.ts";

export interface EntryVerbs {
  explain(entry: Entry): void;
  older(beforeUs: number): void;
}

export function showEntries(state: PageState, verbs: EntryVerbs): void {
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

function entryRow(entry: Entry, state: PageState, verbs: EntryVerbs): KeyedRow<Entry> {
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
