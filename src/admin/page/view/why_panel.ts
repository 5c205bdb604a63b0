/** The answer to a "why": the chain of causes in sentences, each of which can be asked about in turn. */
import type { Cause } from "../model/documents.ts";
import { kindName, levelOf } from "../model/kinds.ts";
import { type Question, questionTitle } from "../model/question.ts";
import { isoTime, shortText } from "../model/time.ts";
import { byId, element, setText } from "./element.ts";
import { levelSign } from "./marks.ts";
import type { Explained, PageState } from "./page_state.ts";

export interface WhyVerbs {
  explain(question: Question): void;
  travel(atUs: number): void;
  close(): void;
}

export function showWhy(state: PageState, verbs: WhyVerbs): void {
  const panel = byId("why", HTMLElement);
  const title = byId("why-title", HTMLElement);
  const body = byId("why-body", HTMLElement);
  let opener: Element | null = null;
  let question: Question | undefined;
  let explained: Explained | undefined;
  let zone = state.zone;

  const close = () => {
    verbs.close();
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    else byId("main", HTMLElement).focus();
  };
  byId("why-close", HTMLElement).addEventListener("click", close);
  panel.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") close();
  });

  state.follow(() => {
    const opens = panel.hidden && state.question !== undefined;
    panel.hidden = state.question === undefined;
    document.documentElement.toggleAttribute("data-why", !panel.hidden);
    if (state.question === undefined) {
      question = undefined;
      return;
    }
    if (opens) opener = document.activeElement;
    const asksNew = question !== state.question;
    const changed = asksNew || explained !== state.explained || zone !== state.zone;
    question = state.question;
    explained = state.explained;
    zone = state.zone;
    if (!changed) return;
    setText(title, questionTitle(question));
    body.replaceChildren(...contentOf(state, verbs));
    if (asksNew) title.focus();
  });
}

function contentOf(state: PageState, verbs: WhyVerbs): readonly Node[] {
  const { explained } = state;
  switch (explained.state) {
    case "asking":
      return [element("p", { class: "quiet" }, "Asking the journals …")];
    case "failed":
      return [element("p", { class: "problem" }, explained.problem)];
    case "answered": {
      const { answer, caveats } = explained.explanation;
      return [
        answer === null
          ? element("p", {}, "The journal says nothing about it.")
          : element("ol", { class: "causes" }, causeItem(answer, state, verbs, true)),
        ...(caveats.length === 0
          ? []
          : [
              element("h3", {}, "To be known beside"),
              element(
                "ul",
                { class: "caveats" },
                ...caveats.map((each) => element("li", {}, each)),
              ),
            ]),
      ];
    }
    default:
      return explained satisfies never;
  }
}

function causeItem(cause: Cause, state: PageState, verbs: WhyVerbs, first: boolean): HTMLElement {
  const { entry, text, because } = cause;
  const { node, id, timeUs } = entry;
  const time = element(
    "time",
    { datetime: isoTime(timeUs) },
    shortText(timeUs, state.nowUs, state.zone),
  );
  const see = element("button", { type: "button", class: "why-link" }, time);
  see.title = "Show the cluster at that time";
  see.addEventListener("click", () => verbs.travel(timeUs));
  const facts = element(
    "p",
    { class: "quiet" },
    see,
    ` · journal of node ${node} · ${kindName(entry)}`,
  );
  if (!first) {
    const ask = element("button", { type: "button", class: "why-link" }, "ask about this");
    ask.addEventListener("click", () => verbs.explain({ subject: "event", node, id }));
    facts.append(" · ", ask);
  }
  const item = element(
    "li",
    {},
    element("p", { class: "cause" }, levelSign(levelOf(entry)), element("span", {}, text)),
    facts,
  );
  if (because.length > 0) {
    item.append(
      element("p", { class: "because" }, because.length === 1 ? "because" : "because of"),
      element("ol", {}, ...because.map((each) => causeItem(each, state, verbs, false))),
    );
  }
  return item;
}
