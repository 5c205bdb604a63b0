/**
 * Reads from the journals of all nodes what the state at a time is made of: of each the last `state` event before it and
 * what followed. What is read is bounded by the time between two of those, and by STATE_PAGES_MAX.
 */
import { askNodes, gapsIn, silentNodes, strangeClocks } from "../cluster/ask_nodes.ts";
import { QUERY_EVENTS_MAX, STATE_PAGES_MAX } from "../limits.ts";
import { mergeEvents } from "../merge.ts";
import type { ClusterState, JournalQuery, JournalSource, KeptEvent, NodeAnswer } from "../types.ts";
import { clusterStateAt, type NodeHistory } from "./cluster_state.ts";
import { VIEW_KINDS } from "./node_view.ts";

export async function readState(atUs: number, source: JournalSource): Promise<ClusterState> {
  const points = await askNodes(source, {
    kinds: ["state"],
    untilUs: atUs,
    newestFirst: true,
    limit: 1,
  });
  const read = await Promise.all(points.map((point) => readHistory(atUs, source, point)));
  const histories = read.flatMap(({ history }) => (history === undefined ? [] : [history]));
  const state = clusterStateAt(atUs, histories);
  const caveats = [
    ...silentNodes(points),
    ...strangeClocks(points),
    ...read.flatMap(({ cut }) => cut),
    ...gapsIn(histories.flatMap(({ events }) => events)),
    ...state.caveats,
  ];
  return { ...state, caveats };
}

interface ReadHistory {
  readonly history: NodeHistory | undefined;
  /** What was not read, for a reader. */
  readonly cut: readonly string[];
}

async function readHistory(
  atUs: number,
  source: JournalSource,
  point: NodeAnswer,
): Promise<ReadHistory> {
  const { node } = point;
  if (!point.events.ok) return { history: undefined, cut: [] };
  const [state] = point.events.value;
  const { events, isWhole } =
    state === undefined
      ? await lastPage(atUs, source, node)
      : await pagesAfter(state, atUs, source, node);
  const merged = mergeEvents([{ ...point, events: { ok: true, value: events } }]);
  const history = {
    node,
    events: merged.filter(({ common_us }) => common_us <= atUs),
    wentOn: await wentOn(atUs, source, node),
  };
  const cut = isWhole
    ? []
    : [`More happened on node ${node} than is read: its part may be of a little earlier`];
  return { history, cut };
}

interface Pages {
  readonly events: readonly KeptEvent[];
  readonly isWhole: boolean;
}

async function pagesAfter(
  state: KeptEvent,
  atUs: number,
  source: JournalSource,
  node: number,
): Promise<Pages> {
  const events = [state];
  for (let pages = 0; pages < STATE_PAGES_MAX; pages++) {
    const page = await ask(source, node, {
      kinds: VIEW_KINDS,
      afterId: events.at(-1)?.id ?? 0,
      untilUs: atUs,
      limit: QUERY_EVENTS_MAX,
    });
    events.push(...page);
    if (page.length < QUERY_EVENTS_MAX) return { events, isWhole: true };
  }
  return { events, isWhole: false };
}

async function lastPage(atUs: number, source: JournalSource, node: number): Promise<Pages> {
  const events = await ask(source, node, {
    kinds: VIEW_KINDS,
    untilUs: atUs,
    newestFirst: true,
    limit: QUERY_EVENTS_MAX,
  });
  return { events, isWhole: true };
}

/** NodeHistory's. */
async function wentOn(atUs: number, source: JournalSource, node: number): Promise<boolean | null> {
  const [last] = await ask(source, node, { untilUs: atUs, newestFirst: true, limit: 1 });
  if (last === undefined) return null;
  const [next] = await ask(source, node, { afterId: last.id, limit: 1 });
  return next === undefined ? null : next.ring === last.ring;
}

async function ask(
  source: JournalSource,
  node: number,
  query: JournalQuery,
): Promise<readonly KeptEvent[]> {
  const [answer] = await askNodes(source, query, [node]);
  return answer?.events.ok ? answer.events.value : [];
}
