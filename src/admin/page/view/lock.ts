/** The way in: a token is exchanged for the cookie of a session (docs/admin.md). */
import { byId, setText } from "./element.ts";
import type { PageState } from "./page_state.ts";
import type { PageSession } from "./session.ts";

export function showLock(state: PageState, session: PageSession, changed: () => void): void {
  const section = byId("lock", HTMLElement);
  const sections = byId("sections", HTMLElement);
  const token = byId("token", HTMLInputElement);
  const problem = byId("lock-problem", HTMLElement);
  const signOut = byId("sign-out", HTMLButtonElement);
  byId("lock-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    setText(problem, "");
    void session.begin(token.value).then((answer) => {
      // Not even a wrong one stays in the page.
      token.value = "";
      if (answer.ok) changed();
      else setText(problem, answer.problem);
    });
  });
  signOut.addEventListener("click", () => {
    void session.end().then(() => location.reload());
  });
  state.follow(() => {
    const locked = state.connection.state === "locked";
    // Nothing of the cluster stays in a page whose session is over, not even out of sight.
    if (locked && state.cluster !== undefined) return location.reload();
    if (section.hidden && locked) queueMicrotask(() => token.focus());
    section.hidden = !locked;
    sections.hidden = locked || state.cluster === undefined;
    signOut.hidden = locked || !session.canEnd;
  });
}
