/**
 * What may be done, where actions are on: a choice, what will follow, and once more a yes.
 *
 * Invariants:
 * 1. Nothing is sent before the second press, which names what it does; the first focus is on the way back.
 * 2. One action is under way at a time, and its answer is shown where it was asked for.
 */
import {
  type Action,
  type ActionField,
  type ActionValues,
  actionBody,
  actionsFor,
  targetsOf,
} from "../model/actions.ts";
import { nodesText } from "../model/numbers.ts";
import { byId, element, setText } from "./element.ts";
import type { PageState } from "./page_state.ts";
import type { Answer } from "./request.ts";

export interface ActionSender {
  act(name: string, body: ActionValues): Promise<Answer>;
}

export class ActionDialog {
  readonly #state: PageState;
  readonly #sender: ActionSender;
  readonly #dialog = byId("action-dialog", HTMLDialogElement);

  constructor(state: PageState, sender: ActionSender) {
    this.#state = state;
    this.#sender = sender;
  }

  forNode(node: number, flags: readonly string[]): void {
    this.#choose(`Act on node ${node}`, actionsFor("node", flags), `Node ${node}`, { node });
  }

  forAddress(address: string): void {
    const [action] = actionsFor("address");
    if (action !== undefined) this.#confirm(action, address, { address });
  }

  forCluster(): void {
    this.#choose("Act on the cluster", actionsFor("cluster"), "The cluster", {});
  }

  #choose(title: string, actions: readonly Action[], what: string, target: ActionValues): void {
    const choices = actions.map((action) => {
      const button = element("button", { type: "button" }, `${action.label} …`);
      button.addEventListener("click", () => this.#confirm(action, what, target));
      return element("li", {}, button, element("p", { class: "quiet" }, action.consequence(what)));
    });
    this.#open(title, element("ul", { class: "choices" }, ...choices), this.#cancelButton());
  }

  #confirm(action: Action, what: string, target: ActionValues): void {
    const inputs = action.fields.map((field) => this.#input(field, target));
    const problem = element("p", { class: "problem", role: "alert" });
    const send = element(
      "button",
      { type: "submit", class: action.drastic ? "drastic" : "" },
      confirmText(action, what),
    );
    const form = element(
      "form",
      {},
      element("p", {}, action.consequence(what)),
      ...inputs.map(({ label }) => label),
      problem,
      element("div", { class: "buttons" }, this.#cancelButton(), send),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = Object.fromEntries(inputs.map(({ name, control }) => [name, control.value]));
      const read = actionBody(action, typed);
      if ("problem" in read) return setText(problem, read.problem);
      send.disabled = true;
      void this.#sender.act(action.name, { ...target, ...read.body }).then((answer) => {
        send.disabled = false;
        if (answer.ok) this.#say(`${action.label}: done`, `${what}: the node has done it.`);
        else setText(problem, answer.problem);
      });
    });
    this.#open(confirmText(action, what), form);
  }

  #input(
    { name, label, kind, initial }: ActionField,
    target: ActionValues,
  ): { name: string; label: HTMLElement; control: HTMLInputElement | HTMLSelectElement } {
    if (kind === "node") {
      const nodes = this.#targets(target);
      const options = nodes.map((node) => element("option", { value: node }, nodesText([node])));
      const control = element("select", { required: true }, ...options);
      return { name, control, label: element("label", {}, `${label} `, control) };
    }
    const control = element("input", {
      type: "text",
      inputmode: kind === "count" ? "numeric" : undefined,
      value: initial,
      required: true,
      autocomplete: "off",
      maxlength: 64,
    });
    return { name, control, label: element("label", {}, `${label} `, control) };
  }

  #targets(target: ActionValues): readonly number[] {
    const { cluster } = this.#state;
    const { address } = target;
    return cluster === undefined || typeof address !== "string" ? [] : targetsOf(cluster, address);
  }

  #say(title: string, text: string): void {
    const close = element("button", { type: "button" }, "Close");
    close.addEventListener("click", () => this.#dialog.close());
    this.#open(title, element("p", { role: "status" }, text), close);
  }

  #cancelButton(): HTMLButtonElement {
    const cancel = element("button", { type: "button", autofocus: true }, "Cancel");
    cancel.addEventListener("click", () => this.#dialog.close());
    return cancel;
  }

  #open(title: string, ...content: readonly Node[]): void {
    const head = element("h2", { id: "action-title" }, title);
    this.#dialog.replaceChildren(head, ...content);
    if (!this.#dialog.open) this.#dialog.showModal();
    else this.#dialog.querySelector<HTMLElement>("[autofocus], button")?.focus();
  }
}

function confirmText(action: Action, what: string): string {
  return action.place === "cluster" ? action.label : `${action.label}: ${what.toLowerCase()}`;
}
