/** `ctdb why` and `ctdb state`: what a journal makes of its events. One node answers, and asks the others. */

import { parseRfc3339 } from "../../base/rfc3339.ts";
import {
  type ExplainedDocument,
  readStateDocument,
  readWhyDocument,
} from "../../wire/journal_documents.ts";
import { parseAddress } from "../../wire/structs/socket_address.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { JournalAsker } from "../journal/ask.ts";
import { chainLines, clockNotes, shownTime, stateLines } from "../journal/lines.ts";
import { timeOption } from "../journal/time_options.ts";
import { answerFacts } from "../json.ts";
import { parseUnsigned32 } from "../numbers.ts";

/** What a node got that is not liked, by the words of `ctdb status`. */
const FLAG_WORDS: Readonly<Record<string, string>> = {
  disconnected: "DISCONNECTED",
  unhealthy: "UNHEALTHY",
  disabled: "DISABLED",
  stopped: "STOPPED",
};

interface Question {
  readonly parameters: Readonly<Record<string, string>>;
  /** What there is none of, when the journal has nothing of it. */
  readonly wanted: string;
}

export const why: Command = async (context, args) => {
  const { parameters, wanted } = parseQuestion(args);
  const at = timeOption(context, "at");
  const query = new URLSearchParams({ ...parameters, ...(at === undefined ? {} : { at }) });
  const { document } = await withAsker(context, (asker) =>
    asker.askOne(context, `/api/v1/why?${query}`, readWhyDocument),
  );
  const { schema_version: _, ...facts } = document;
  if (context.options.json) answerFacts(context.host, facts);
  else {
    const { answer, caveats, sources } = document;
    const timeOf = ({ event }: ExplainedDocument) => shownTime(parseRfc3339(event.common_time));
    if (answer !== null) say(context, chainLines(answer, timeOf));
    // Nodes without a journal are among the caveats.
    note(context, [...caveats, ...clockNotes(sources)]);
  }
  if (document.answer !== null) return 0;
  const until = at === undefined ? "" : ` up to ${shownTime(parseRfc3339(at))}`;
  throw new CommandFailure(1, `The journal knows of no ${wanted}${until}`);
};

export const state: Command = async (context, args) => {
  expectArguments(args, 0);
  const at = timeOption(context, "at");
  const query = new URLSearchParams(at === undefined ? {} : { at });
  const { document } = await withAsker(context, (asker) =>
    asker.askOne(context, `/api/v1/state?${query}`, readStateDocument),
  );
  const { schema_version: _, ...facts } = document;
  if (context.options.json) answerFacts(context.host, facts);
  else {
    say(context, stateLines(document, shownTime(parseRfc3339(document.at))));
    note(context, document.caveats);
  }
  return 0;
};

async function withAsker<T>(
  { session }: CommandContext,
  action: (asker: JournalAsker) => Promise<T>,
): Promise<T> {
  const asker = await JournalAsker.open(session);
  try {
    return await action(asker);
  } finally {
    asker.close();
  }
}

function say({ host }: CommandContext, lines: readonly string[]): void {
  for (const line of lines) host.out(`${line}\n`);
}

function note({ host }: CommandContext, lines: readonly string[]): void {
  for (const line of new Set(lines)) host.err(`Note: ${line}\n`);
}

function parseQuestion([subject, ...args]: readonly string[]): Question {
  switch (subject) {
    case "node":
      return nodeQuestion(args);
    case "recovery":
    case "leader":
      expectArguments(args, 0);
      return {
        parameters: { subject },
        wanted: subject === "leader" ? "change of leader" : subject,
      };
    case "address":
      return addressQuestion(args);
    case "event":
      return eventQuestion(args);
    default:
      throw new WrongArguments();
  }
}

function nodeQuestion(args: readonly string[]): Question {
  expectArguments(args, 2);
  const [node, word] = [expectNumber("node", args[0] as string), args[1] as string];
  if (word === "banned") {
    return { parameters: { subject: "ban", node }, wanted: `ban of node ${node}` };
  }
  const flag = FLAG_WORDS[word];
  if (flag === undefined) {
    const words = ["banned", ...Object.keys(FLAG_WORDS)].join(", ");
    throw new CommandFailure(1, `Invalid state "${word}": expected one of ${words}`, "usage");
  }
  return {
    parameters: { subject: "flags", node, flag },
    wanted: `moment when node ${node} became ${word}`,
  };
}

function addressQuestion(args: readonly string[]): Question {
  expectArguments(args, 1);
  const text = args[0] as string;
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new CommandFailure(1, `Invalid IP address ${text}`, "usage");
  const { address } = parsed.value;
  return { parameters: { subject: "address", address }, wanted: `move of ${address}` };
}

function eventQuestion(args: readonly string[]): Question {
  expectArguments(args, 2);
  const node = expectNumber("node", args[0] as string);
  const event = expectNumber("event", args[1] as string);
  return {
    parameters: { subject: "event", node, event },
    wanted: `event ${event} of node ${node}`,
  };
}

function expectNumber(what: string, text: string): string {
  const number = parseUnsigned32(text);
  if (number.ok) return String(number.value);
  throw new CommandFailure(1, `Invalid ${what} "${text}": expected its number`, "usage");
}
