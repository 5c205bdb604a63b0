/**
 * Questions to the journals of all nodes with times of the asker's clock. How far a node's clock is ahead comes with its
 * answer: one whose clock is far away is asked again, with times as it has them.
 */
import type { JournalQuery, JournalSource, MergedEvent, NodeAnswer } from "../types.ts";
import { timeText } from "../why/words.ts";

/** Clocks that differ by less are not worth a second question. */
const CLOCK_AHEAD_US_MAX = 100_000;

export async function askNodes(
  source: JournalSource,
  query: JournalQuery,
  nodes?: readonly number[],
): Promise<readonly NodeAnswer[]> {
  const answers = await source.ask(query, nodes);
  if (query.sinceUs === undefined && query.untilUs === undefined) return answers;
  return await Promise.all(answers.map((answer) => again(source, query, answer)));
}

async function again(
  source: JournalSource,
  query: JournalQuery,
  answer: NodeAnswer,
): Promise<NodeAnswer> {
  const { node, events, clockAheadUs } = answer;
  if (!events.ok || Math.abs(clockAheadUs) <= CLOCK_AHEAD_US_MAX) return answer;
  const shifted = {
    ...query,
    ...(query.sinceUs === undefined ? {} : { sinceUs: query.sinceUs + clockAheadUs }),
    ...(query.untilUs === undefined ? {} : { untilUs: query.untilUs + clockAheadUs }),
  };
  const [second] = await source.ask(shifted, [node]);
  return second ?? answer;
}

/** Nodes that have nothing to say, for a reader. */
export function silentNodes(answers: readonly NodeAnswer[]): readonly string[] {
  return answers.flatMap(({ node, events }) =>
    events.ok ? [] : [`Nothing is known from node ${node} itself: ${events.error}`],
  );
}

/** Clocks that are not those of the asker. */
export function strangeClocks(answers: readonly NodeAnswer[]): readonly string[] {
  return answers
    .filter(({ clockAheadUs }) => Math.abs(clockAheadUs) > 1_000_000)
    .map(({ node, clockAheadUs }) => {
      const seconds = Number((Math.abs(clockAheadUs) / 1_000_000).toFixed(1));
      const how = clockAheadUs > 0 ? "ahead" : "behind";
      return `The clock of node ${node} is ${seconds} s ${how}: times here are corrected`;
    });
}

/** What is missing in the events that were looked at. */
export function gapsIn(events: readonly MergedEvent[]): readonly string[] {
  return events.flatMap(({ node, event, common_us }) => {
    if (event.kind !== "gap") return [];
    const what = event.missing === null ? "Events" : `${event.missing} events`;
    const verb = event.missing === null ? "may be" : "are";
    return [
      `${what} of node ${node} ${verb} missing before ${timeText(common_us)}: ${event.reason}`,
    ];
  });
}
