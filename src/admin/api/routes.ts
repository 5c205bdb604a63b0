/** The table of routes (docs/admin.md, "Routes"), from which requests are served and the OpenAPI document is made. */
import * as v from "valibot";
import { err, ok } from "../../base/result.ts";
import { ACTIONS, runAction } from "../actions.ts";
import type { Callers } from "../auth/callers.ts";
import { setCookie } from "../auth/sessions.ts";
import type { ClusterWatch } from "../cluster/cluster_watch.ts";
import { clusterDocumentSchema } from "../cluster/document.ts";
import type { EventStreams } from "../events/event_streams.ts";
import { type HealthRoute, healthFacts, healthText } from "../health.ts";
import { SESSION_MS_MAX, TOOL_ARGUMENT_CHARACTERS_MAX, TOOL_ARGUMENTS_MAX } from "../limits.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { AdminParts } from "../parts.ts";
import { TOOL_COMMANDS } from "../tool/commands.ts";
import { argumentProblem, type ToolDocuments } from "../tool/documents.ts";
import { journalRoutes } from "./journal_routes.ts";
import { problem } from "./problem.ts";
import { manyOf, numberText, pnnText, type Route, route } from "./route.ts";

export interface RouteParts {
  readonly parts: AdminParts;
  readonly callers: Callers;
  readonly documents: ToolDocuments;
  readonly streams: EventStreams;
  readonly metrics: Metrics;
  readonly watch: ClusterWatch;
  /** The text of the OpenAPI document. */
  openApi(): Promise<string>;
}

export function routesOf(needs: RouteParts): readonly Route[] {
  return [
    ...(["livez", "readyz", "healthz"] as const).map((name) => healthRoute(name, needs)),
    ...documentRoutes(needs),
    ...TOOL_COMMANDS.flatMap((name) => toolRoute(name, needs)),
    ...journalRoutes(needs.parts),
    ...sessionRoutes(needs),
    ...actionRoutes(needs),
  ];
}

const HEALTH_SUMMARY: Readonly<Record<HealthRoute, string>> = {
  livez: "Whether the node lives: restarting it would help if not",
  readyz: "Whether the node serves clients",
  healthz: "Whether all is well with the node, its journal included",
};

const TEXT = "text/plain; charset=utf-8";
const CHECKS_EXCLUDED_MAX = 16;

function healthRoute(name: HealthRoute, { parts }: RouteParts): Route {
  return route({
    path: `/${name}`,
    summary: HEALTH_SUMMARY[name],
    // Who balances load has no token: it learns yes or no.
    right: "none",
    query: {
      verbose: v.optional(v.string()),
      exclude: v.optional(manyOf(v.pipe(v.string(), v.maxLength(64)), CHECKS_EXCLUDED_MAX)),
    },
    answer: { kind: "text", contentTypes: [TEXT] },
    statuses: [503],
    async handle({ query, caller }) {
      const facts = await healthFacts(parts);
      const verbose = query.verbose !== undefined && caller.right !== "none";
      const { isHealthy, text } = healthText(name, facts, {
        exclude: query.exclude ?? [],
        verbose,
      });
      return ok({ text, contentType: TEXT, status: isHealthy ? 200 : 503 });
    },
  });
}

function documentRoutes(needs: RouteParts): readonly Route[] {
  const { parts, streams, metrics, watch, openApi } = needs;
  return [
    route({
      path: "/metrics",
      summary: "Metrics for Prometheus; OpenMetrics when it is accepted",
      answer: { kind: "text", contentTypes: metrics.contentTypes },
      statuses: [404],
      async handle({ headers }) {
        if (!parts.metrics) return err(problem(404, "metrics are off"));
        return ok(await metrics.answer(headers.get("accept") ?? ""));
      },
    }),
    route({
      path: "/api/v1/openapi.json",
      summary: "This description of the API",
      answer: {
        kind: "foreign",
        schema: () => Promise.resolve({ type: "object", required: ["openapi", "info", "paths"] }),
      },
      async handle() {
        return ok({ text: await openApi(), contentType: "application/json" });
      },
    }),
    route({
      path: "/api/v1/cluster",
      summary: "Nodes as each sees the others, addresses, databases, turns, conditions",
      answer: {
        kind: "document",
        schema: v.strictObject({ ...clusterDocumentSchema.entries, actions: v.boolean() }),
      },
      statuses: [503],
      async handle({ caller }) {
        const document = await watch.current();
        if (!document.ok) return err(problem(503, document.error));
        return ok({ document: { ...document.value, actions: caller.right === "act" } });
      },
    }),
    route({
      path: "/api/v1/events",
      summary: "Server-sent events: journal, and cluster when it has changed",
      query: { last_event_id: v.optional(numberText) },
      answer: { kind: "text", contentTypes: ["text/event-stream"] },
      statuses: [503],
      handle({ query, caller, origin, headers }) {
        if (origin.kind === "node") return err(problem(400, "messages carry no streams"));
        const last = headers.get("last-event-id") ?? "";
        const after = /^\d{1,15}$/.test(last) ? Number(last) : query.last_event_id;
        const stream = streams.open(after, caller.right === "act");
        if (!stream.ok) return stream;
        return ok({ stream: stream.value.body, contentType: "text/event-stream" });
      },
    }),
  ];
}

/** Of a command that the tool has. */
function toolRoute(name: string, { parts, documents }: RouteParts): Route[] {
  const command = parts.tool.command(name);
  if (command === undefined) return [];
  return [
    route({
      path: `/api/v1/tool/${name}`,
      summary: `ctdb ${[name, command.args].join(" ").trim()}: ${command.summary}`,
      query: {
        node: v.optional(pnnText),
        arg: v.optional(
          manyOf(
            v.pipe(
              v.string(),
              v.maxLength(TOOL_ARGUMENT_CHARACTERS_MAX),
              v.check((text) => argumentProblem(text) === undefined, "expected no option"),
            ),
            TOOL_ARGUMENTS_MAX,
          ),
        ),
      },
      answer: { kind: "foreign", schema: () => parts.tool.schema(name) },
      statuses: [502, 503],
      async handle({ query }) {
        const document = await documents.get({
          command: name,
          node: query.node,
          args: query.arg ?? [],
        });
        return document.ok ? ok({ document: document.value }) : document;
      },
    }),
  ];
}

const sessionDocument = v.strictObject({
  right: v.picklist(["read", "act"]),
  /** For the header x-csrf-token; null: this caller needs none. */
  csrf_token: v.nullable(v.string()),
  expires_in_seconds: v.nullable(v.number()),
});

function sessionRoutes({ parts, callers }: RouteParts): readonly Route[] {
  const { sessions } = callers;
  const withCookie = (secret: string | undefined) =>
    new Headers({ "set-cookie": setCookie(secret, parts.secureCookies) });
  return [
    route({
      method: "POST",
      path: "/api/v1/session",
      summary: "A token for a cookie",
      right: "none",
      body: v.strictObject({ token: v.pipe(v.string(), v.nonEmpty(), v.maxLength(1024)) }),
      answer: { kind: "document", schema: sessionDocument },
      statuses: [401],
      handle({ body, origin }) {
        const address = origin.kind === "tcp" ? origin.address : origin.kind;
        const token = callers.exchange(body.token, address);
        if (!token.ok) return token;
        const { secret, session } = sessions.begin(token.value.token);
        return ok({
          document: {
            right: parts.actions ? token.value.right : "read",
            csrf_token: session.csrfToken,
            expires_in_seconds: SESSION_MS_MAX / 1000,
          },
          headers: withCookie(secret),
        });
      },
    }),
    route({
      path: "/api/v1/session",
      summary: "What this caller may",
      answer: { kind: "document", schema: sessionDocument },
      handle({ caller }) {
        const { session } = caller;
        return ok({
          document: {
            right: caller.right,
            csrf_token: session?.session.csrfToken ?? null,
            expires_in_seconds:
              session === undefined
                ? null
                : Math.floor((session.session.endsMs - parts.clock.monotonicMs()) / 1000),
          },
        });
      },
    }),
    route({
      method: "DELETE",
      path: "/api/v1/session",
      summary: "The end of the session",
      right: "none",
      answer: { kind: "nothing" },
      handle({ caller }) {
        if (caller.session !== undefined) sessions.end(caller.session.secret);
        return ok({ nothing: true, headers: withCookie(undefined) });
      },
    }),
  ];
}

const actionDocument = v.strictObject({
  action: v.string(),
  by: v.string(),
  before: v.nullable(v.string()),
  after: v.nullable(v.string()),
  tool: v.record(v.string(), v.unknown()),
});

function actionRoutes({ parts, documents }: RouteParts): readonly Route[] {
  return ACTIONS.map((action) =>
    route({
      method: "POST",
      path: `/api/v1/actions/${action.name}`,
      summary: action.summary,
      right: "act",
      body: action.body,
      answer: { kind: "document", schema: actionDocument },
      statuses: [502, 503],
      async handle({ body, caller, origin }) {
        if (origin.kind === "node") return err(problem(403, "nodes only read"));
        const done = await runAction(action, body, caller.name, parts, documents);
        return done.ok ? ok({ document: done.value }) : done;
      },
    }),
  );
}
