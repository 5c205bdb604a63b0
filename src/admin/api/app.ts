/**
 * The API as one function from a request to its answer: Hono with the table of routes, and what holds for all of them.
 *
 * Invariants:
 * 1. What a request may cost is decided before it is looked into: how many at once, how long its path.
 * 2. What a browser asks for another site's page is refused first.
 * 3. A mistake of ours is a 500 with nothing of its inside, and a line in the log.
 */
import { Hono } from "hono";
import type { KeptEvent } from "../../journal/types.ts";
import { Callers } from "../auth/callers.ts";
import { foreignPage } from "../auth/foreign_page.ts";
import { ClusterWatch } from "../cluster/cluster_watch.ts";
import { EventStreams } from "../events/event_streams.ts";
import { PATH_CHARACTERS_MAX, REQUESTS_AT_ONCE_MAX } from "../limits.ts";
import { Metrics, type OwnCounts } from "../metrics/metrics.ts";
import type { AdminParts, Origin } from "../parts.ts";
import { ToolDocuments } from "../tool/documents.ts";
import { problem } from "./problem.ts";
import type { Route } from "./route.ts";
import { routesOf } from "./routes.ts";
import { fileResponse, problemResponse, serveRoute } from "./serve.ts";

export interface Api {
  fetch(request: Request, origin: Origin): Promise<Response>;
  /** For event streams: these were just kept. */
  publish(events: readonly KeptEvent[]): void;
  readonly routes: readonly Route[];
  counts(): OwnCounts;
  /** Streams get a last event. */
  close(): void;
}

type Environment = { Bindings: { readonly origin: Origin } };

/** Statuses are few: a table of them does not grow. */
const STATUSES_MAX = 64;

export function createApi(
  parts: AdminParts,
  webhooks: () => OwnCounts["webhooks"] = () => ({ sent: 0, failed: 0, dropped: 0 }),
): Api {
  const { clock, timers, daemon } = parts;
  const callers = new Callers(parts);
  const watch = new ClusterWatch({ clock, timers, look: () => daemon.look() });
  const streams = new EventStreams({ timers, journal: parts.journal, watch });
  const byStatus = new Map<number, number>();
  let requestsNow = 0;
  const counts = (): OwnCounts => ({
    streams: streams.size,
    streamsDropped: streams.dropped,
    sessions: callers.sessions.size,
    requestsByStatus: byStatus,
    requestsNow,
    webhooks: webhooks(),
  });
  const metrics = new Metrics({ parts, watch, counts });
  let openApi: Promise<string> | undefined;
  const routes = routesOf({
    parts,
    callers,
    documents: new ToolDocuments(parts),
    streams,
    metrics,
    watch,
    openApi: () => {
      openApi ??= import("./openapi.ts").then(({ openApiText }) =>
        openApiText(routes, parts.version),
      );
      return openApi;
    },
  });
  const app = new Hono<Environment>();
  const serving = { callers, timers };
  for (const route of routes) {
    app.on(route.method, route.path, ({ req, env }) =>
      serveRoute(route, req.raw, env.origin, serving),
    );
  }
  for (const { path, text, contentType, contentSecurityPolicy } of parts.page) {
    app.get(path, () => fileResponse(text, contentType, contentSecurityPolicy));
  }
  for (const [path, methods] of methodsByPath(routes, parts)) {
    app.all(path, () =>
      problemResponse(
        problem(405, `expected ${methods.join(" or ")}`, {
          headers: { allow: methods.join(", ") },
        }),
      ),
    );
  }
  app.notFound(() => problemResponse(problem(404, "expected a path of /api/v1/openapi.json")));
  app.onError((error) => {
    parts.log.warning(`A request failed: ${error.stack ?? error.message}`);
    return problemResponse(problem(500, "the log of ctdb-admind says more"));
  });

  const answer = async (request: Request, origin: Origin): Promise<Response> => {
    if (request.url.length > PATH_CHARACTERS_MAX) {
      return problemResponse(problem(414, `expected at most ${PATH_CHARACTERS_MAX} characters`));
    }
    const foreign = foreignPage(request.headers, origin);
    if (foreign !== undefined) return problemResponse(foreign);
    if (requestsNow >= REQUESTS_AT_ONCE_MAX) {
      const headers = { "retry-after": "1" };
      return problemResponse(problem(503, "too many requests at once", { headers }));
    }
    requestsNow += 1;
    try {
      return await app.fetch(request, { origin });
    } finally {
      requestsNow -= 1;
    }
  };
  return {
    routes,
    counts,
    publish: (events) => streams.publishJournal(events),
    close: () => streams.close(),
    async fetch(request, origin) {
      const response = await answer(request, origin);
      if (byStatus.size < STATUSES_MAX || byStatus.has(response.status)) {
        byStatus.set(response.status, (byStatus.get(response.status) ?? 0) + 1);
      }
      return response;
    },
  };
}

function methodsByPath(routes: readonly Route[], { page }: AdminParts): Map<string, string[]> {
  const methods = new Map<string, string[]>(page.map(({ path }) => [path, ["GET", "HEAD"]]));
  for (const { path, method } of routes) {
    const more = method === "GET" ? ["GET", "HEAD"] : [method];
    methods.set(path, [...(methods.get(path) ?? []), ...more]);
  }
  return methods;
}
