/**
 * A server of the page without a cluster: documents that a test has put there, a stream of events, tokens and actions as
 * docs/admin.md has them. What the page asks for is written down.
 */
import { pageFiles } from "../../../src/admin/page/files.ts";
import type { PageFile } from "../../../src/admin/parts.ts";
import type { EventDocument } from "../../../src/wire/journal_documents.ts";
import { healthyCluster, nightEvents, type PageCluster, SOURCES, timeText } from "./fixtures.ts";

export const TOKEN = "a-token-of-the-test";
const CSRF = "csrf-of-the-test";
const COOKIE = "ctdb_session=of-the-test";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly csrf: string | null;
  readonly body: unknown;
}

export class FakeServer {
  readonly asked: Asked[] = [];
  cluster: PageCluster;
  sources = SOURCES;
  events: readonly EventDocument[];
  /** What is wrong with the node behind it. */
  failing: string | undefined;
  /** A token is wanted. */
  locked = false;
  #server: ReturnType<typeof Bun.serve> | undefined;
  #port = 0;
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #files: ReadonlyMap<string, PageFile>;

  constructor(nowMs = Date.now(), files: readonly PageFile[] = pageFiles()) {
    this.#files = new Map(files.map((file) => [file.path, file]));
    this.cluster = healthyCluster(nowMs);
    this.events = nightEvents(nowMs);
    this.start();
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Again at the port that it had. */
  start(): void {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: this.#port,
      idleTimeout: 0,
      fetch: (request) => this.#answer(request),
    });
    this.#port = this.#server.port ?? 0;
  }

  async stop(): Promise<void> {
    this.#streams.clear();
    await this.#server?.stop(true);
    this.#server = undefined;
  }

  show(cluster: PageCluster): void {
    this.cluster = cluster;
    // What a session may is no matter of the stream.
    const { actions: _, ...document } = cluster;
    this.#send("cluster", document);
  }

  happen(event: EventDocument): void {
    this.events = [...this.events, event];
    this.#send("journal", event);
  }

  #send(name: string, document: unknown): void {
    const bytes = new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(document)}\n\n`);
    for (const stream of this.#streams) stream.enqueue(bytes);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const text = await request.text();
    const { method, headers } = request;
    this.asked.push({
      method,
      path: pathname,
      query: searchParams,
      csrf: headers.get("x-csrf-token"),
      body: text === "" ? undefined : JSON.parse(text),
    });
    const file = this.#files.get(pathname);
    if (file !== undefined) return fileResponse(file);
    if (pathname === "/api/v1/session" && method === "POST") return sessionResponse(text);
    if (this.locked && !(headers.get("cookie") ?? "").includes(COOKIE)) {
      return problemResponse(
        401,
        "expected a token, the cookie of a session, or a client certificate",
      );
    }
    if (this.failing !== undefined) return problemResponse(503, this.failing);
    return this.#document(method, pathname, searchParams, headers);
  }

  #document(method: string, path: string, query: URLSearchParams, headers: Headers): Response {
    const head = { schema_version: 1, time: timeText(Date.now()), node: 0 };
    switch (`${method} ${path}`) {
      case "GET /api/v1/cluster":
        return Response.json(this.cluster);
      case "GET /api/v1/events":
        return this.#stream();
      case "GET /api/v1/session":
        return Response.json({ ...head, right: "act", csrf_token: this.locked ? CSRF : null });
      case "DELETE /api/v1/session":
        return new Response(null, {
          status: 204,
          headers: { "set-cookie": `${COOKIE}; Path=/; Max-Age=0` },
        });
      case "GET /api/v1/journal":
        return Response.json({ ...head, events: this.#journal(query), sources: this.sources });
      case "GET /api/v1/state":
        return Response.json({ ...head, ...this.#stateAt(query.get("at") ?? "") });
      case "GET /api/v1/why":
        return Response.json({ ...head, ...this.#why(query) });
      default:
        if (method === "POST" && path.startsWith("/api/v1/actions/"))
          return this.#act(path, headers);
        return problemResponse(404, `no such path: ${path}`);
    }
  }

  #stream(): Response {
    let own: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        this.#streams.add(controller);
        controller.enqueue(new TextEncoder().encode(": there\n\n"));
      },
      cancel: () => {
        if (own !== undefined) this.#streams.delete(own);
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  #journal(query: URLSearchParams): readonly EventDocument[] {
    const since = query.get("since") ?? "";
    const until = query.get("until") ?? "9";
    const kinds = query.get("kind")?.split(",");
    const inside = this.events
      .filter(({ time }) => time >= since && time <= until)
      .filter(({ event }) => kinds === undefined || kinds.includes(event.kind))
      .filter(({ node }) => (query.get("node") ?? String(node)) === String(node))
      .sort((one, other) => (one.time < other.time ? -1 : 1));
    const limit = Number(query.get("limit") ?? "100");
    return query.get("order") === "asc" ? inside.slice(0, limit) : inside.slice(-limit).reverse();
  }

  /** Before the ban all were well, and everything was where it belongs. */
  #stateAt(at: string): object {
    const ban = this.events.find(({ event }) => event.kind === "ban");
    const banned = ban !== undefined && at >= ban.time;
    const { nodes, addresses, databases } = this.cluster;
    return {
      at,
      leader: 0,
      generation: 1_734_921_309,
      recovering: false,
      nodes: nodes.map(({ node, address }) => ({
        node,
        address,
        flags: banned && node === 2 ? ["BANNED"] : [],
        running: true,
      })),
      addresses: addresses.map(({ address }, i) => ({ address, node: Math.floor(i / 2) })),
      databases: databases.map(({ name, id, kind }) => ({ name, id: Number(id), kind })),
      caveats: [],
      sources: this.sources,
    };
  }

  #why(query: URLSearchParams): object {
    const asked = this.events.find(
      ({ node, id }) => String(node) === query.get("node") && String(id) === query.get("event"),
    );
    const ban = this.events.find(({ event }) => event.kind === "ban");
    const script = this.events.find(({ event }) => event.kind === "script_failed");
    const event = asked ?? ban;
    if (event === undefined || script === undefined)
      return { question: {}, answer: null, caveats: [] };
    return {
      question: { subject: query.get("subject") },
      answer: {
        event,
        text: `It happened: ${event.text}.`,
        because: [
          {
            event: script,
            text: `The script hung: ${script.text}.`,
            because: [],
          },
        ],
      },
      caveats: ["Of node 2 a gap of 4 events is in that time."],
      sources: this.sources,
    };
  }

  #act(path: string, headers: Headers): Response {
    if (this.locked && headers.get("x-csrf-token") !== CSRF) {
      return problemResponse(
        403,
        'expected the header "x-csrf-token" with the value of the session',
      );
    }
    const action = path.slice("/api/v1/actions/".length);
    return Response.json({
      schema_version: 1,
      action,
      by: "test",
      before: null,
      after: null,
      tool: {},
    });
  }
}

function fileResponse({ text, contentType, contentSecurityPolicy }: PageFile): Response {
  const policy = contentSecurityPolicy ?? "default-src 'none'; frame-ancestors 'none'";
  return new Response(text, {
    headers: { "content-type": contentType, "content-security-policy": policy },
  });
}

function sessionResponse(text: string): Response {
  const { token } = JSON.parse(text) as { token?: unknown };
  if (token !== TOKEN) return problemResponse(401, "the token is none of those in the token file");
  return Response.json(
    { schema_version: 1, right: "act", csrf_token: CSRF, expires_in_seconds: 43_200 },
    { headers: { "set-cookie": `${COOKIE}; Path=/; HttpOnly; SameSite=Strict` } },
  );
}

function problemResponse(status: number, detail: string): Response {
  return Response.json(
    { type: "about:blank", title: "Refused", status, detail },
    { status, headers: { "content-type": "application/problem+json" } },
  );
}
