/** Joins the parts of the page: what comes goes into the state, what somebody does changes it, and each part shows its own. */
import { OTHER_JOURNALS_MS } from "../model/limits.ts";
import { questionAbout } from "../model/question.ts";
import { ActionDialog } from "./action_dialog.ts";
import { showAddresses } from "./addresses.ts";
import { showConditions } from "./conditions.ts";
import { showDatabases } from "./databases.ts";
import { byId } from "./element.ts";
import { showHeader } from "./header.ts";
import { showJournal } from "./journal_view.ts";
import { Live } from "./live.ts";
import { showLock } from "./lock.ts";
import { showMatrix } from "./matrix_view.ts";
import { showNodes } from "./nodes.ts";
import { PageControl } from "./page_control.ts";
import { PageState } from "./page_state.ts";
import { stopAtScrollable } from "./scrollable.ts";
import { PageSession } from "./session.ts";
import { showSettings } from "./settings.ts";
import { showTimeBar } from "./time_bar.ts";
import { showTurns } from "./turns_view.ts";
import { showWhy } from "./why_panel.ts";

const TICK_MS = 1000;

function openPage(): void {
  const state = new PageState();
  const session = new PageSession();
  const control = new PageControl(state);
  const live = new Live({
    connection(connection) {
      state.connection = connection;
      state.changed();
    },
    cluster: (cluster) => state.takeCluster(cluster),
    entry: (entry) => control.take([entry]),
    joined() {
      control.loadWindow();
      void session.join().then(() => state.changed());
    },
  });
  joinParts(state, control, session, live);
  control.openAddress();
  addEventListener("hashchange", () => control.openAddress());
  live.start();
  keepTime(state, control, live);
}

function joinParts(state: PageState, control: PageControl, session: PageSession, live: Live): void {
  const actions = new ActionDialog(state, session);
  showSettings(state);
  showLock(state, session, () => live.restart());
  showHeader(state, (subject) => void control.explain({ subject }));
  showConditions(state);
  showNodes(state, {
    explain: (node, flags) => void control.explain(questionAbout(node, flags)),
    act: (node, flags) => actions.forNode(node, flags),
  });
  showMatrix(state);
  showAddresses(state, {
    explain: (address) => void control.explain({ subject: "address", address }),
    act: (address) => actions.forAddress(address),
  });
  showDatabases(state);
  showTurns(state);
  showJournal(state, {
    explain: ({ node, id }) => void control.explain({ subject: "event", node, id }),
    showWindow: (window) => control.showWindow(window),
    showSpan: (spanMs) => control.showSpan(spanMs),
    filter: (filter) => control.filter(filter),
    older: (beforeUs) => control.loadOlder(beforeUs),
  });
  showTimeBar(state, { travel: (atUs) => void control.travel(atUs) });
  showWhy(state, {
    explain: (question) => void control.explain(question),
    travel: (atUs) => void control.travel(atUs),
    close: () => control.closeExplanation(),
  });
  const clusterActions = byId("cluster-actions", HTMLButtonElement);
  clusterActions.addEventListener("click", () => actions.forCluster());
  state.follow(() => {
    clusterActions.hidden = state.shown?.actions !== true;
  });
  stopAtScrollable();
}

function keepTime(state: PageState, control: PageControl, live: Live): void {
  let askedMs = 0;
  setInterval(() => {
    live.tick();
    const nowMs = Date.now();
    const watched = !document.hidden && state.followsNow && state.connection.state === "live";
    if (watched && nowMs - askedMs >= OTHER_JOURNALS_MS) {
      askedMs = nowMs;
      control.loadNew();
    }
    state.changed();
  }, TICK_MS);
}

openPage();
