/** Which events are shown: kinds, node, words. */
import { type Filter, isGroup } from "../model/filter.ts";
import { GROUPS } from "../model/kinds.ts";
import { byId, element } from "./element.ts";
import { KeyedList } from "./keyed.ts";
import type { PageState } from "./page_state.ts";

/** Somebody types on. */
const WORDS_REST_MS = 200;

export function showFilters(state: PageState, choose: (filter: Filter) => void): void {
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
    choose({
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
