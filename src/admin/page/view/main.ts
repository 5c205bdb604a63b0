/** Joins the parts of the page: what comes goes into the state, what somebody does changes it, and each part shows its own. */
import { LATE_EVENTS_MS, OTHER_JOURNALS_MS } from "../model/limits.ts";
import { readPageAddress, writePageAddress } from "../model/page_address.ts";
import { type Question, questionAbout, questionQuery } from "../model/question.ts";
import { readExplanation, readPast } from "../model/read_journal.ts";
import { isoTime } from "../model/time.ts";
import { spanMsOf } from "../model/timeline.ts";
import { ActionDialog } from "./action_dialog.ts";
import { showAddresses } from "./addresses.ts";
import { showConditions } from "./conditions.ts";
import { showDatabases } from "./databases.ts";
import { byId } from "./element.ts";
import { showHeader } from "./header.ts";
import { JournalSource } from "./journal_source.ts";
import { showJournal } from "./journal_view.ts";
import { Live } from "./live.ts";
import { showLock } from "./lock.ts";
import { showMatrix } from "./matrix_view.ts";
import { showNodes } from "./nodes.ts";
import { PageState } from "./page_state.ts";
import { request } from "./request.ts";
import { PageSession } from "./session.ts";
import { showSettings } from "./settings.ts";
import { showTimeBar } from "./time_bar.ts";
import { showTurns } from "./turns_view.ts";
import { showWhy } from "./why_panel.ts";

const TICK_MS = 1000;

const state = new PageState();
const session = new PageSession();
const journal = new JournalSource({
  entries(entries) {
    if (state.entries.add(entries) > 0) state.changed();
  },
  caveats(caveats) {
    state.journalCaveats = caveats;
    state.changed();
  },
  completeFrom(us) {
    state.completeFromUs = us;
    state.changed();
  },
  problem(text) {
    state.journalProblem = text;
    state.changed();
  },
});
const live = new Live({
  connection(connection) {
    state.connection = connection;
    state.changed();
  },
  cluster: (cluster) => state.takeCluster(cluster),
  entry(entry) {
    if (state.entries.add([entry]) > 0) state.changed();
  },
  joined() {
    loadWindow();
    void session.join().then(() => state.changed());
  },
});

function loadWindow(): void {
  void journal.load(state.window, state.filter);
}

let traveling = new AbortController();

/** undefined: back to now. */
async function travel(atUs: number | undefined): Promise<void> {
  traveling.abort();
  traveling = new AbortController();
  const { signal } = traveling;
  state.atUs = atUs;
  state.past = undefined;
  state.pastProblem = undefined;
  if (atUs === undefined) {
    if (!state.followsNow) state.showWindow({ ...state.window, toUs: state.nowUs });
    loadWindow();
  } else {
    keepInSight(atUs);
  }
  rememberAddress();
  state.changed();
  if (atUs === undefined) return;
  const answer = await request(`/api/v1/state?at=${encodeURIComponent(isoTime(atUs))}`, { signal });
  if (signal.aborted) return;
  state.past = answer.ok ? readPast(answer.document) : undefined;
  state.pastProblem = answer.ok ? undefined : answer.problem;
  state.changed();
}

/** The window stays where it is while the past is looked at, and moves when that is outside. */
function keepInSight(atUs: number): void {
  const { fromUs, toUs } = state.window;
  const inside = atUs >= fromUs && atUs <= toUs;
  const halfUs = spanMsOf(state.window) * 500;
  const window = inside ? { fromUs, toUs } : { fromUs: atUs - halfUs, toUs: atUs + halfUs };
  if (inside && !state.followsNow) return;
  state.hold(window);
  if (!inside) loadWindow();
}

async function explain(question: Question): Promise<void> {
  state.question = question;
  state.explained = { state: "asking" };
  rememberAddress();
  state.changed();
  const answer = await request(`/api/v1/why?${questionQuery(question, state.atUs)}`);
  if (state.question !== question) return;
  state.explained = answer.ok
    ? { state: "answered", explanation: readExplanation(answer.document) }
    : { state: "failed", problem: answer.problem };
  state.changed();
}

function rememberAddress(): void {
  const { atUs, question, filter, followsNow, window } = state;
  const hash = writePageAddress({
    filter,
    ...(atUs === undefined ? {} : { atUs }),
    ...(followsNow ? {} : { window }),
    ...(question === undefined ? {} : { question }),
  });
  history.replaceState(null, "", hash === "" ? location.pathname : hash);
}

function openAddress(): void {
  const { atUs, window, filter, question } = readPageAddress(location.hash);
  state.filter = filter;
  if (window !== undefined) state.showWindow(window);
  if (atUs !== undefined) void travel(atUs);
  if (question !== undefined) void explain(question);
}

function joinParts(): void {
  const actions = new ActionDialog(state, session);
  showSettings(state);
  showLock(state, session, () => live.restart());
  showHeader(state, (subject) => void explain({ subject }));
  showConditions(state);
  showNodes(state, {
    explain: (node, flags) => void explain(questionAbout(node, flags)),
    act: (node, flags) => actions.forNode(node, flags),
  });
  showMatrix(state);
  showAddresses(state, {
    explain: (address) => void explain({ subject: "address", address }),
    act: (address) => actions.forAddress(address),
  });
  showDatabases(state);
  showTurns(state);
  const timeline = showJournal(state, {
    explain: ({ node, id }) => void explain({ subject: "event", node, id }),
    showWindow(window) {
      state.showWindow(window);
      rememberAddress();
      loadWindow();
    },
    showSpan(spanMs) {
      state.showSpan(spanMs);
      rememberAddress();
      loadWindow();
    },
    filter(filter) {
      const asksServer = `${filter.groups}` !== `${state.filter.groups}`;
      state.filter = filter;
      rememberAddress();
      if (asksServer) {
        state.entries.clear();
        state.completeFromUs = undefined;
        loadWindow();
      }
      state.changed();
    },
    older: (beforeUs) => void journal.loadOlder(beforeUs, state.window.fromUs, state.filter),
  });
  showTimeBar(state, timeline, { travel: (atUs) => void travel(atUs) });
  showWhy(state, {
    explain: (question) => void explain(question),
    travel: (atUs) => void travel(atUs),
    close() {
      state.question = undefined;
      rememberAddress();
      state.changed();
    },
  });
  const clusterActions = byId("cluster-actions", HTMLButtonElement);
  clusterActions.addEventListener("click", () => actions.forCluster());
  state.follow(() => {
    clusterActions.hidden = state.shown?.actions !== true;
  });
}

function keepTime(): void {
  let askedMs = 0;
  setInterval(() => {
    live.tick();
    const nowMs = Date.now();
    const watched = !document.hidden && state.followsNow && state.connection.state === "live";
    if (watched && nowMs - askedMs >= OTHER_JOURNALS_MS) {
      askedMs = nowMs;
      void journal.loadNew(state.nowUs - LATE_EVENTS_MS * 1000, state.filter);
    }
    state.changed();
  }, TICK_MS);
}

joinParts();
addEventListener("hashchange", openAddress);
openAddress();
live.start();
keepTime();
