/** Public addresses: where each is, and where it may be. */
import type { AddressFacts } from "../model/documents.ts";
import { rangesText } from "../model/numbers.ts";
import type { Shown } from "../model/shown.ts";
import { byId, element, setAttributes, setText, spoken } from "./element.ts";
import { KeyedList, type KeyedRow } from "./keyed.ts";
import { levelSign, showLevel } from "./marks.ts";
import type { PageState } from "./page_state.ts";

export interface AddressVerbs {
  explain(address: string): void;
  act(address: string): void;
}

export function showAddresses(state: PageState, verbs: AddressVerbs): void {
  const section = byId("addresses", HTMLElement);
  const list = new KeyedList<AddressFacts>(
    byId("address-rows", HTMLElement),
    ({ address }) => address,
    ({ address }) => addressRow(address, verbs),
  );
  state.followShown((shown) => {
    list.update(inOrder(shown));
    section.hidden = shown.addresses.length === 0;
    for (const cell of section.querySelectorAll<HTMLElement>(".actions-column")) {
      cell.hidden = !shown.actions;
    }
  });
}

/** What is nowhere comes first. */
function inOrder({ addresses }: Shown): readonly AddressFacts[] {
  const rank = ({ node }: AddressFacts) => (node === null ? 0 : 1);
  return [...addresses].sort((one, other) => rank(one) - rank(other));
}

function addressRow(address: string, verbs: AddressVerbs): KeyedRow<AddressFacts> {
  const sign = levelSign("good");
  const place = element("span");
  const why = element("button", { type: "button", class: "why-link" }, sign, place);
  why.addEventListener("click", () => verbs.explain(address));
  const candidates = element("td", { class: "candidates" });
  const act = element("button", { type: "button", "aria-label": `Move ${address}` }, "Move …");
  act.addEventListener("click", () => verbs.act(address));
  const root = element(
    "tr",
    {},
    element("th", { scope: "row", class: "code" }, address),
    element("td", {}, why),
    candidates,
    element("td", { class: "actions-column" }, act),
  );
  return {
    root,
    update(facts) {
      const text = facts.node === null ? "nowhere" : `node ${facts.node}`;
      showLevel(sign, facts.node === null ? "critical" : "good");
      setText(place, text);
      setAttributes(why, {
        "aria-label": `${address} is ${facts.node === null ? "" : "on "}${text}. Why?`,
      });
      setAttributes(root, { "data-level": facts.node === null ? "critical" : "good" });
      const key = `${facts.node} of ${facts.mayBeOn.join(" ")}`;
      if (candidates.dataset["key"] === key) return;
      candidates.dataset["key"] = key;
      candidates.replaceChildren(...candidatesOf(facts));
    },
  };
}

/** More than that are told in a few characters. */
const CHIPS_MAX = 8;

function candidatesOf({ node, mayBeOn }: AddressFacts): readonly (Node | string)[] {
  if (mayBeOn.length > CHIPS_MAX) return [rangesText(mayBeOn)];
  return mayBeOn.map((each) => chipOf(each, each === node));
}

function chipOf(node: number, here: boolean): HTMLElement {
  const chip = element("span", { class: here ? "chip here" : "chip" }, String(node));
  if (here) chip.append(spoken(" (is here)"));
  chip.append(spoken(", "));
  return chip;
}
