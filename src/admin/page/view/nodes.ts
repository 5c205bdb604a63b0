/** The nodes: state and why, who leads, who answers. */
import type { NodeFacts } from "../model/documents.ts";
import { rankOf, stateLevel, stateText } from "../model/flags.ts";
import type { Shown } from "../model/shown.ts";
import { byId, element, setAttributes, setText } from "./element.ts";
import { KeyedList, type KeyedRow } from "./keyed.ts";
import { levelSign, showLevel } from "./marks.ts";
import type { PageState } from "./page_state.ts";

interface NodeRowValue {
  readonly facts: NodeFacts;
  readonly shown: Shown;
}

/** With more, the matrix has a row of the page for itself. */
const NODES_MANY = 10;

export interface NodeVerbs {
  explain(node: number, flags: readonly string[]): void;
  act(node: number, flags: readonly string[]): void;
}

export function showNodes(state: PageState, verbs: NodeVerbs): void {
  const section = byId("nodes", HTMLElement);
  const sections = byId("sections", HTMLElement);
  const list = new KeyedList<NodeRowValue>(
    byId("node-rows", HTMLElement),
    ({ facts }) => String(facts.node),
    ({ facts }) => nodeRow(facts.node, verbs),
  );
  state.followShown((shown) => {
    list.update(inOrder(shown.nodes).map((facts) => ({ facts, shown })));
    sections.toggleAttribute("data-many", shown.nodes.length > NODES_MANY);
    for (const cell of section.querySelectorAll<HTMLElement>(".actions-column")) {
      cell.hidden = !shown.actions;
    }
  });
}

/** Of many, those that are not well come first: they must not be out of sight. */
function inOrder(nodes: readonly NodeFacts[]): readonly NodeFacts[] {
  if (nodes.length <= NODES_MANY) return nodes;
  return [...nodes].sort(
    (one, other) => rankOf(stateLevel(one.flags)) - rankOf(stateLevel(other.flags)),
  );
}

function nodeRow(node: number, verbs: NodeVerbs): KeyedRow<NodeRowValue> {
  let flags: readonly string[] = [];
  const badges = element("span", { class: "badges" });
  const address = element("span", { class: "second" });
  const sign = levelSign("good");
  const words = element("span");
  const why = element("button", { type: "button", class: "why-link state" }, sign, words);
  why.addEventListener("click", () => verbs.explain(node, flags));
  const reason = element("span", { class: "second reason" });
  const version = element("td", { class: "roomy now-only" });
  const journal = element("td", { class: "roomy now-only" });
  const act = element("button", { type: "button" }, "Act …");
  act.setAttribute("aria-label", `Act on node ${node}`);
  act.addEventListener("click", () => verbs.act(node, flags));
  const head = element(
    "th",
    { scope: "row" },
    element("b", {}, String(node)),
    " ",
    badges,
    address,
  );
  const root = element(
    "tr",
    {},
    head,
    element("td", {}, why, reason),
    version,
    journal,
    element("td", { class: "actions-column" }, act),
  );
  return {
    root,
    update({ facts, shown }) {
      ({ flags } = facts);
      setText(address, facts.address);
      setText(badges, badgesText(facts.node, shown));
      showLevel(sign, stateLevel(facts.flags));
      setText(words, stateText(facts.flags));
      setAttributes(why, { "aria-label": `Node ${node} is ${stateText(facts.flags)}. Why?` });
      setText(reason, facts.why ?? "");
      setText(version, facts.version);
      setText(journal, JOURNAL_TEXTS[facts.ownJournal] ?? facts.ownJournal);
      setAttributes(root, { "data-level": stateLevel(facts.flags) });
    },
  };
}

const JOURNAL_TEXTS: Readonly<Record<string, string>> = {
  kept: "kept",
  none: "no journal",
  unknown: "not known",
};

function badgesText(node: number, { leader, node: answers }: Shown): string {
  const words = [...(node === leader ? ["leader"] : []), ...(node === answers ? ["answers"] : [])];
  return words.join(" · ");
}
