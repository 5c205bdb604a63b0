/** The first line: how the cluster is, who leads it, and whether this page still hears from it. */
import type { Connection } from "../model/connection.ts";
import type { Shown } from "../model/shown.ts";
import { clockText, zoneText } from "../model/time.ts";
import { byId, element, setAttributes, setText } from "./element.ts";
import { levelSign, showLevel } from "./marks.ts";
import type { PageState } from "./page_state.ts";

export function showHeader(state: PageState, ask: (subject: "leader" | "recovery") => void): void {
  const verdict = byId("verdict", HTMLElement);
  const facts = byId("facts", HTMLElement);
  const connection = byId("connection", HTMLElement);
  const sign = levelSign("notice");
  const words = element("span", {}, verdict.textContent ?? "");
  verdict.replaceChildren(sign, words);
  const leader = element("button", { type: "button", class: "why-link" });
  leader.addEventListener("click", () => ask("leader"));
  const recovery = element("button", { type: "button", class: "why-link" });
  recovery.addEventListener("click", () => ask("recovery"));
  const answers = element("span");
  facts.append(leader, recovery, answers);

  state.follow(() => {
    const { shown } = state;
    const lostNow = state.connection.state === "lost" && state.atUs === undefined;
    showLevel(sign, lostNow ? "warning" : (shown?.verdict.level ?? "notice"));
    if (shown !== undefined) setText(words, shown.verdict.text);
    else if (state.connection.state === "locked") setText(words, "Sign in to see the cluster");
    facts.hidden = shown === undefined;
    if (shown !== undefined) {
      setText(leader, leaderText(shown));
      setText(recovery, generationText(shown));
      for (const button of [leader, recovery]) {
        setAttributes(button, { "aria-label": `${button.textContent}. Why?` });
      }
      setText(answers, shown.node === null ? "from the journals" : `node ${shown.node} answers`);
    }
    setText(connection, connectionText(state.connection, state));
    setAttributes(connection, { "data-state": state.connection.state });
    document.title = titleText(state);
    setAttributes(document.documentElement, {
      "data-when": state.atUs === undefined ? "now" : "past",
      "data-connection": state.connection.state,
    });
  });
}

function leaderText({ leader }: Shown): string {
  return leader === null ? "no leader" : `node ${leader} leads`;
}

function generationText({ generation, recovering }: Shown): string {
  if (recovering) return "recovering";
  return generation === null ? "last recovery" : `generation ${generation}`;
}

function connectionText(connection: Connection, state: PageState): string {
  switch (connection.state) {
    case "connecting":
      return "connecting …";
    case "live":
      return "live";
    case "locked":
      return "signed out";
    case "lost": {
      const { sinceMs, reason } = connection;
      const what = reason === null ? "no connection" : "no news";
      const why = reason === null ? "" : `: ${reason}`;
      if (sinceMs === null) return `${what}${why}`;
      const us = state.nodeUs(sinceMs);
      return `${what} since ${clockText(us, state.zone)} ${zoneText(us, state.zone)}${why}`;
    }
    default:
      return connection satisfies never;
  }
}

function titleText({ shown, connection, atUs }: PageState): string {
  if (connection.state === "lost") return "no connection – ctdb";
  if (shown === undefined) return "ctdb";
  return `${atUs === undefined ? shown.verdict.brief : "past"} – ctdb`;
}
