/** What deserves attention, and what to do: before everything else, and gone when there is nothing. */
import type { Condition } from "../model/documents.ts";
import { byId, element, setText, spoken } from "./element.ts";
import { KeyedList, type KeyedRow } from "./keyed.ts";
import { levelSign, showLevel } from "./marks.ts";
import type { PageState } from "./page_state.ts";

export function showConditions(state: PageState): void {
  const section = byId("conditions", HTMLElement);
  const list = new KeyedList<Condition>(
    byId("condition-list", HTMLElement),
    ({ id, text }) => `${id} ${text}`,
    conditionRow,
  );
  state.followShown((shown) => {
    const conditions = shown.conditions ?? [];
    const rank = ({ severity }: Condition) => (severity === "critical" ? 0 : 1);
    list.update([...conditions].sort((one, other) => rank(one) - rank(other)));
    section.hidden = conditions.length === 0;
  });
}

function conditionRow(): KeyedRow<Condition> {
  const sign = levelSign("warning");
  const severity = spoken("");
  const text = element("strong");
  const advice = element("span", { class: "advice" });
  const id = element("code");
  const words = element("p", {}, severity, text, " ", advice, " ", id);
  return {
    root: element("li", {}, sign, words),
    update(condition) {
      showLevel(sign, condition.severity);
      setText(severity, `${condition.severity}: `);
      setText(text, condition.text);
      setText(advice, condition.advice);
      setText(id, condition.id);
    },
  };
}
