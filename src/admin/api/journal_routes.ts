/** Routes of the journal: events, why something happened, and how the cluster was. */
import * as v from "valibot";
import { err, ok, type Result } from "../../base/result.ts";
import { rfc3339Text } from "../../base/rfc3339.ts";
import type { JournalQuery, KeptKind, WhyQuestion } from "../../journal/types.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import { FLAG_WORDS, flagOfWord } from "../../wire/flag_words.ts";
import type { SourceDocument } from "../../wire/journal_documents.ts";
import {
  eventDocument,
  journalSchema,
  sourceDocument,
  stateDocument,
  stateSchema,
  whyDocument,
  whySchema,
} from "../journal/documents.ts";
import { JOURNAL_EVENTS_DEFAULT, JOURNAL_EVENTS_MAX } from "../limits.ts";
import type { AdminParts, JournalAnswers } from "../parts.ts";
import { type Problem, problem } from "./problem.ts";
import {
  countText,
  manyOf,
  numberText,
  type Outcome,
  pnnText,
  type Route,
  route,
} from "./route.ts";
import { microsecondsOf, parseTime, TIME_PATTERN } from "./times.ts";

const timeParameter = v.pipe(
  v.string(),
  v.maxLength(40, "expected a time"),
  v.regex(TIME_PATTERN, "expected a time as 2026-11-29T03:00:00Z, seconds since 1970, or -10min"),
);
const KINDS_MAX = 64;
const kindParameter = v.pipe(
  v.string(),
  v.maxLength(1024, "expected names of kinds"),
  v.regex(/^[a-z_]+(,[a-z_]+)*$/, "expected names of kinds with commas between them"),
);

const SUBJECTS = ["ban", "flags", "recovery", "leader", "address", "event"] as const;

/** 409 would say that asking again helps; this node keeps no journal at all. */
const NO_JOURNAL = problem(404, "this node keeps no journal");

export function journalRoutes(parts: AdminParts): readonly Route[] {
  const { clock } = parts;
  const timeOf = (text: string | undefined) =>
    text === undefined ? ok(undefined) : timeProblem(parseTime(text, microsecondsOf(clock)));
  const answer = (document: object, sources: readonly SourceDocument[]): Outcome => {
    const head = { time: rfc3339Text(microsecondsOf(clock)), node: ownNode(parts) };
    return ok({ document: { ...head, ...document, sources } });
  };
  return [
    route({
      path: "/api/v1/journal",
      summary: "What happened",
      query: {
        since: v.optional(timeParameter),
        until: v.optional(timeParameter),
        kind: v.optional(manyOf(kindParameter, KINDS_MAX)),
        node: v.optional(pnnText),
        limit: v.optional(countText(JOURNAL_EVENTS_MAX)),
        after: v.optional(numberText),
        before: v.optional(numberText),
        order: v.optional(v.picklist(["asc", "desc"])),
        scope: v.optional(v.picklist(["node", "cluster"])),
        form: v.optional(v.picklist(["documents", "kept"])),
      },
      answer: { kind: "document", schema: journalSchema },
      statuses: [404, 502],
      async handle({ query }) {
        const { journal } = parts;
        if (journal === undefined) return err(NO_JOURNAL);
        const [since, until] = [timeOf(query.since), timeOf(query.until)];
        if (!since.ok) return since;
        if (!until.ok) return until;
        const wanted: JournalQuery = {
          ...(since.value === undefined ? {} : { sinceUs: since.value }),
          ...(until.value === undefined ? {} : { untilUs: until.value }),
          ...(query.kind === undefined ? {} : { kinds: kindsOf(query.kind) }),
          ...(query.after === undefined ? {} : { afterId: query.after }),
          ...(query.before === undefined ? {} : { beforeId: query.before }),
          newestFirst: query.order !== "asc",
          limit: query.limit ?? JOURNAL_EVENTS_DEFAULT,
        };
        const isOfNode = ({ node }: { readonly node: number }) =>
          query.node === undefined || node === query.node;
        const sentence = (event: Parameters<JournalAnswers["sentence"]>[0]) =>
          journal.sentence(event);
        if (query.scope === "cluster") {
          const all = await journal.queryNodes(
            wanted,
            query.node === undefined ? undefined : [query.node],
          );
          if (!all.ok) return err(problem(502, all.error));
          const documents = all.value.value.map((event) => eventDocument(event, sentence));
          return answer({ events: documents }, all.value.sources);
        }
        const kept = journal.query(wanted);
        if (!kept.ok) return err(problem(503, `the journal cannot be read: ${kept.error}`));
        const events = kept.value.filter(isOfNode);
        if (query.form === "kept") return ok({ document: { kept: events } });
        const documents = events.map((event) => eventDocument(event, sentence));
        return answer({ events: documents }, [sourceDocument(ownNode(parts), {})]);
      },
    }),
    route({
      path: "/api/v1/why",
      summary: "Why something happened, from the journals of all nodes",
      query: {
        subject: v.picklist(SUBJECTS),
        node: v.optional(pnnText),
        flag: v.optional(v.picklist(FLAG_WORDS)),
        address: v.optional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(64))),
        event: v.optional(numberText),
        at: v.optional(timeParameter),
      },
      answer: { kind: "document", schema: whySchema },
      statuses: [404, 502],
      async handle({ query }) {
        const { journal } = parts;
        if (journal === undefined) return err(NO_JOURNAL);
        const at = timeOf(query.at);
        if (!at.ok) return at;
        const question = questionOf(query, at.value);
        if (!question.ok) return question;
        const explained = await journal.explain(question.value);
        if (!explained.ok) return err(problem(502, explained.error));
        const { value, sources } = explained.value;
        const document = whyDocument(value, (event) => journal.sentence(event));
        return answer(document, sources);
      },
    }),
    route({
      path: "/api/v1/state",
      summary: "The cluster as it was, from the journals of all nodes",
      query: { at: v.optional(timeParameter) },
      answer: { kind: "document", schema: stateSchema },
      statuses: [404, 502],
      async handle({ query }) {
        const { journal } = parts;
        if (journal === undefined) return err(NO_JOURNAL);
        const at = timeOf(query.at);
        if (!at.ok) return at;
        const state = await journal.stateAt(at.value ?? microsecondsOf(clock));
        if (!state.ok) return err(problem(502, state.error));
        return answer(stateDocument(state.value.value), state.value.sources);
      },
    }),
  ];
}

function ownNode({ daemon }: AdminParts): number {
  return daemon.node ?? 0;
}

function timeProblem(time: Result<number>): Result<number, Problem> {
  return time.ok ? time : err(problem(400, time.error));
}

/** Kinds that there are not are those of no event. */
function kindsOf(texts: readonly string[]): readonly KeptKind[] {
  return texts.flatMap((text) => text.split(",")).slice(0, KINDS_MAX) as KeptKind[];
}

interface QuestionQuery {
  readonly subject: (typeof SUBJECTS)[number];
  readonly node?: number | undefined;
  readonly flag?: string | undefined;
  readonly address?: string | undefined;
  readonly event?: number | undefined;
}

function questionOf(
  { subject, node, flag, address, event }: QuestionQuery,
  atUs: number | undefined,
): Result<WhyQuestion, Problem> {
  const at = atUs === undefined ? {} : { atUs };
  const missing = (name: string) => err(problem(400, `"${subject}" needs the parameter "${name}"`));
  switch (subject) {
    case "ban":
      return node === undefined ? missing("node") : ok({ subject, node, ...at });
    case "flags": {
      if (node === undefined) return missing("node");
      const mask = flag === undefined ? {} : { flag: flagOfWord(flag) ?? NODE_FLAGS.UNHEALTHY };
      return ok({ subject, node, ...mask, ...at });
    }
    case "address":
      return address === undefined ? missing("address") : ok({ subject, address, ...at });
    case "event":
      if (node === undefined) return missing("node");
      return event === undefined ? missing("event") : ok({ subject, node, id: event, ...at });
    default:
      return ok({ subject, ...at });
  }
}
