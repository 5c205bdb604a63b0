/**
 * `ctdb journal`: what happened, from the journals of all nodes or of one, and with --follow what happens. Each node is asked by
 * the tool itself: so it knows how far each clock is off, and goes on where it was.
 */

import { parseRfc3339, rfc3339Text } from "../../base/rfc3339.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { printable } from "../format.ts";
import { connectedNodes, JournalAsker, nothingRecorded } from "../journal/ask.ts";
import { clockNotes, shownTime, silentNotes } from "../journal/lines.ts";
import {
  eventsAfter,
  type Filter,
  inOrder,
  type NodeEvents,
  newestEvents,
} from "../journal/listing.ts";
import { nowUs, timeOption } from "../journal/time_options.ts";
import { answerFacts, answerFactsLine } from "../json.ts";
import type { JournalFacts, ListedEventFacts } from "../schemas/journal.ts";
import { connectionLost } from "../session.ts";

const DEFAULT_EVENTS = 100;
/** With a time to begin at, more is wanted. */
const DEFAULT_EVENTS_SINCE = 1000;
/** In memory at once. */
const EVENTS_MAX = 100_000;
const FOLLOW_MS = 1000;

export const journal: Command = async (context, args) => {
  expectArguments(args, 0);
  const { options, session } = context;
  if (options.follow && options.until !== undefined) {
    throw new CommandFailure(1, "--follow has no end: it excludes --until", "usage");
  }
  const asker = await JournalAsker.open(session);
  try {
    const listing = new Listing(context, asker);
    await listing.showNewest();
    return options.follow ? await listing.follow() : 0;
  } finally {
    asker.close();
  }
};

class Listing {
  readonly #context: CommandContext;
  readonly #asker: JournalAsker;
  readonly #filter: Filter;
  /** Id of the last event that each node gave. */
  readonly #cursors = new Map<number, number | undefined>();
  /** Nodes that were named as silent. */
  readonly #silent = new Set<number>();
  /** From then on matters what a node says that was not listed at first. */
  readonly #startedAt: string;

  constructor(context: CommandContext, asker: JournalAsker) {
    this.#context = context;
    this.#asker = asker;
    this.#startedAt = rfc3339Text(nowUs(context));
    this.#filter = {
      since: timeOption(context, "since"),
      until: timeOption(context, "until"),
      kind: context.options.kind,
    };
  }

  async showNewest(): Promise<void> {
    const { options } = this.#context;
    const usual = options.since === undefined ? DEFAULT_EVENTS : DEFAULT_EVENTS_SINCE;
    const limit = options.limit ?? usual;
    if (limit < 1 || limit > EVENTS_MAX) {
      throw new CommandFailure(
        1,
        `Invalid limit "${limit}": expected events, 1 to ${EVENTS_MAX}`,
        "usage",
      );
    }
    const nodes = await this.#nodes();
    const answers = await Promise.all(
      nodes.map((node) => newestEvents(this.#asker, node, this.#filter, limit)),
    );
    this.#expectJournal(answers);
    for (const { node, events, refusal } of answers) {
      if (refusal === undefined) this.#cursors.set(node, events.at(-1)?.id);
      else this.#silent.add(node);
    }
    const events = inOrder(answers.flatMap((answer) => answer.events));
    this.#show(answers, events.slice(-limit), true);
  }

  /** Until the daemon ends, somebody ends us, or the time of -T is over. */
  async follow(): Promise<number> {
    const { host, options, session } = this.#context;
    const endMs = host.clock.monotonicMs() + options.maxruntime * 1000;
    for (;;) {
      const isLimited = options.maxruntime > 0;
      const leftMs = isLimited ? endMs - host.clock.monotonicMs() : FOLLOW_MS;
      if (leftMs <= 0) throw new CommandFailure(1, "Maximum runtime exceeded - exiting", "timeout");
      await session.pause(Math.min(FOLLOW_MS, leftMs));
      if (!session.client.connected) throw connectionLost({ reason: "ctdbd has closed it" });
      await this.#showNew();
    }
  }

  async #showNew(): Promise<void> {
    const nodes = await this.#nodes();
    const answers = await Promise.all(
      nodes.map((node) => {
        const isListed = this.#cursors.has(node);
        const filter = isListed ? this.#filter : { ...this.#filter, since: this.#startedAt };
        return eventsAfter(this.#asker, node, filter, this.#cursors.get(node));
      }),
    );
    for (const { node, events } of answers) {
      const last = events.at(-1);
      if (last !== undefined) this.#cursors.set(node, last.id);
    }
    const changed = answers.filter(({ node, refusal }) => {
      return (refusal !== undefined) !== this.#silent.has(node);
    });
    for (const { node, refusal } of changed) {
      if (refusal === undefined) this.#silent.delete(node);
      else this.#silent.add(node);
    }
    const events = inOrder(answers.flatMap((answer) => answer.events));
    if (events.length > 0 || changed.length > 0) this.#show(changed, events, false);
  }

  #nodes(): Promise<readonly number[]> {
    const { options, session } = this.#context;
    return options.node === -1 ? connectedNodes(session) : Promise.resolve([session.target]);
  }

  /** Somebody has to have one. */
  #expectJournal(answers: readonly NodeEvents[]): void {
    const refused = answers.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal]));
    if (refused.length < answers.length) return;
    const worst = refused.find(({ kind }) => kind !== "no journal") ?? refused[0];
    if (worst === undefined) throw new CommandFailure(1, "No node is connected");
    if (worst.kind === "refused") throw new CommandFailure(1, worst.reason);
    throw nothingRecorded(worst, this.#context.options.node === -1);
  }

  #show(answers: readonly NodeEvents[], events: readonly ListedEventFacts[], whole: boolean): void {
    const { host, options, session } = this.#context;
    const sources = answers.map(({ source }) => source);
    if (options.json) {
      const time = rfc3339Text(nowUs(this.#context));
      const listed = [...events];
      const facts = { time, node: session.pnn, sources, events: listed } satisfies JournalFacts;
      if (options.follow) answerFactsLine(host, facts);
      else answerFacts(host, facts);
      return;
    }
    for (const event of events) host.out(`${eventLine(event, options.verbose)}\n`);
    const notes = [...silentNotes(sources), ...clockNotes(sources)];
    for (const line of notes) host.err(`Note: ${line}\n`);
    const again = whole ? [] : answers.filter(({ refusal }) => refusal === undefined);
    for (const { node } of again) host.err(`Note: node ${node} answers\n`);
  }
}

function eventLine(event: ListedEventFacts, verbose: boolean): string {
  const line = `${shownTime(parseRfc3339(event.common_time))} [${event.node}] ${printable(event.text)}`;
  if (!verbose) return line;
  const { kind } = event.event;
  return `${line} (${printable(kind)} ${event.id}, ${printable(event.process)})`;
}
