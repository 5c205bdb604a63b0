/** The journal: filters, the timeline with its tools, and events as a list. */
import type { Filter } from "../model/filter.ts";
import { byId } from "./element.ts";
import { type EntryVerbs, showEntries } from "./entry_list.ts";
import { showFilters } from "./journal_filters.ts";
import type { PageState } from "./page_state.ts";
import { showTimelineTools, type WindowVerbs } from "./timeline_tools.ts";
import { showTimeline } from "./timeline_view.ts";

export interface JournalVerbs extends EntryVerbs, WindowVerbs {
  filter(filter: Filter): void;
}

export function showJournal(state: PageState, verbs: JournalVerbs): void {
  showFilters(state, (filter) => verbs.filter(filter));
  showTimeline(byId("timeline", HTMLElement), state, verbs);
  showTimelineTools(state, verbs);
  showEntries(state, verbs);
}
