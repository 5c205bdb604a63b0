/** Each route of the API, without sockets, against the description that the API gives of itself. */
import { expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import {
  readJournalDocument,
  readStateDocument,
  readWhyDocument,
} from "../../src/wire/journal_documents.ts";
import { ACTOR, AdminBench, bearer, post, READER, STRANGER } from "./bench.ts";
import { OpenApiChecker } from "./openapi_checker.ts";

const FLAGS = {
  kind: "flags",
  target: 1,
  before: 0,
  after: NODE_FLAGS.BANNED,
  reason: "it failed",
  by: { node: 0 },
} as const;
const LINK = { kind: "link_down", peer: 1, reason: "reset\u0000 by <peer>" } as const;

/** A bench with events, actions and all that routes answer with. */
function bench(): AdminBench {
  const made = new AdminBench({ actions: true });
  made.happen(FLAGS, LINK);
  return made;
}

async function checkerOf(made: AdminBench): Promise<OpenApiChecker> {
  return new OpenApiChecker(await (await made.ask("/api/v1/openapi.json")).text());
}

/** A good request to each route, by `METHOD path`. */
const REQUESTS: Readonly<Record<string, readonly [path: string, body?: object]>> = {
  "GET /api/v1/tool/dbstatistics": ["?arg=a.tdb"],
  "GET /api/v1/tool/getdbseqnum": ["?arg=a.tdb"],
  "GET /api/v1/tool/getdbstatus": ["?arg=a.tdb"],
  "GET /api/v1/tool/gettickles": ["?arg=10.0.0.1"],
  "GET /api/v1/tool/getvar": ["?arg=MonitorInterval&node=0"],
  "GET /api/v1/tool/ipinfo": ["?arg=10.0.0.1"],
  "GET /api/v1/tool/lvs": ["?arg=list"],
  "GET /api/v1/tool/natgw": ["?arg=list"],
  "GET /api/v1/journal": ["?since=-10d&kind=flags,link_down&limit=5&order=asc"],
  "GET /api/v1/why": ["?subject=ban&node=1"],
  "GET /api/v1/state": ["?at=2026-11-29T03:00:00Z"],
  "POST /api/v1/session": ["", { token: READER.token }],
  "POST /api/v1/actions/ban": ["", { node: 1, seconds: 5 }],
  "POST /api/v1/actions/moveip": ["", { address: "10.1.0.1", node: 1 }],
  "POST /api/v1/actions/setvar": ["", { node: 1, name: "MonitorInterval", value: 5 }],
  "POST /api/v1/actions/recover": ["", {}],
};

test("every route answers as the OpenAPI document says, and every row of it is asked", async () => {
  const made = bench();
  const checker = await checkerOf(made);
  const asked: string[] = [];
  for (const { method, path, body } of made.api.routes) {
    const key = `${method} ${path}`;
    const [query = "", given = { node: 1 }] = REQUESTS[key] ?? [];
    const init = body === undefined ? { method } : post(given);
    const response = await made.askInTime(`${path}${query}`, init);
    const type = response.headers.get("content-type") ?? "";
    if (type === "text/event-stream") {
      await response.body?.cancel();
      asked.push(key);
      continue;
    }
    const problems = checker.problems(method, path, response.status, type, await response.text());
    expect([key, problems]).toEqual([key, []]);
    asked.push(key);
  }
  const described = Object.entries(checker.document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(asked.sort()).toEqual(described.sort());
  expect(Object.keys(REQUESTS).filter((key) => !asked.includes(key))).toEqual([]);
});

test("the OpenAPI document is valid", async () => {
  const text = await (await bench().ask("/api/v1/openapi.json")).text();
  const result = await new Validator().validate(JSON.parse(text));
  expect([result.valid, result.errors ?? []]).toEqual([true, []]);
});

test("documents of the tool are those of ctdb --json", async () => {
  const made = bench();
  expect(await made.json("/api/v1/tool/pnn")).toEqual([200, { schema_version: 1, pnn: 0 }]);
  expect(made.runs.at(-1)).toEqual(["--json", "-T", "10", "pnn"]);
});

test("many who ask the tool the same cost one question", async () => {
  const made = bench();
  await Promise.all(Array.from({ length: 200 }, () => made.json("/api/v1/tool/pnn")));
  expect(made.runs).toHaveLength(1);
  await made.time.advance(501);
  await made.json("/api/v1/tool/pnn");
  expect(made.runs).toHaveLength(2);
});

test("the tool runs a few times at once, and who waits too long is told so", async () => {
  const waiting: (() => void)[] = [];
  let now = 0;
  let most = 0;
  const made = new AdminBench({
    run: async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise<void>((resolve) => waiting.push(resolve));
      now -= 1;
      return { status: 0, text: '{"schema_version":1,"node":0}', error: "" };
    },
  });
  const all = Array.from({ length: 100 }, (_, i) => made.ask(`/api/v1/tool/pnn?arg=${i}`));
  let answered = 0;
  for (const each of all) void each.then(() => (answered += 1));
  while (answered < all.length) {
    for (const end of waiting.splice(0)) end();
    await made.time.advance(1);
  }
  const statuses = (await Promise.all(all)).map(({ status }) => status);
  expect(most).toBe(4);
  expect(statuses.filter((status) => status === 200)).toHaveLength(68);
  expect(statuses.filter((status) => status === 503)).toHaveLength(32);
});

test("what the tool refuses is a problem document of that kind", async () => {
  const failing = (kind: string) =>
    new AdminBench({
      run: async () => ({
        status: 1,
        text: "",
        error: JSON.stringify({ schema_version: 1, error: { kind, messages: ["that is why"] } }),
      }),
    }).json("/api/v1/tool/pnn");
  const statuses = ["usage", "no daemon", "timeout", "failed"].map(failing);
  expect((await Promise.all(statuses)).map(([status, { detail }]) => [status, detail])).toEqual([
    [400, "that is why"],
    [503, "that is why"],
    [504, "that is why"],
    [502, "that is why"],
  ]);
});

test("an argument never becomes an option of the tool", async () => {
  const made = bench();
  for (const arg of ["-n", "--json", "-", "%00"]) {
    const [status] = await made.json(`/api/v1/tool/ip?arg=${arg}`);
    expect([arg, status]).toEqual([arg, 400]);
  }
  expect(made.runs).toEqual([]);
});

test("the journal is asked by time, kind and cursor", async () => {
  const made = bench();
  const idsOf = async (query: string) => {
    const [, document] = await made.json(`/api/v1/journal${query}`);
    return (document["events"] as { readonly id: number }[]).map(({ id }) => id);
  };
  expect(await idsOf("")).toEqual([2, 1]);
  expect(await idsOf("?order=asc")).toEqual([1, 2]);
  expect(await idsOf("?kind=link_down")).toEqual([2]);
  expect(await idsOf("?kind=link_down&kind=flags&limit=1")).toEqual([2]);
  expect(await idsOf("?after=1")).toEqual([2]);
  expect(await idsOf("?before=2")).toEqual([1]);
  expect(await idsOf("?until=1795000001.5")).toEqual([1]);
  expect(await idsOf(`?since=${new Date(1_795_000_002_000).toISOString()}`)).toEqual([2]);
  expect(await idsOf("?node=7&scope=cluster")).toEqual([]);
});

test("documents of the journal are those that their readers know", async () => {
  const made = bench();
  for (const scope of ["node", "cluster"]) {
    const [, document] = await made.json(`/api/v1/journal?scope=${scope}`);
    expect(readJournalDocument(document).ok).toBe(true);
  }
  const [, why] = await made.json("/api/v1/why?subject=event&node=0&event=2&at=-1d");
  expect(readWhyDocument(why).ok).toBe(true);
  const [, state] = await made.json("/api/v1/state");
  expect(readStateDocument(state).ok).toBe(true);
});

test("other nodes get events as they are kept", async () => {
  const made = bench();
  const origin = { kind: "node", node: 1 } as const;
  const [, document] = await made.json("/api/v1/journal?form=kept&order=asc", {}, origin);
  expect(document["kept"]).toEqual(JSON.parse(JSON.stringify(made.events)));
});

test("a node without a journal says so", async () => {
  const made = new AdminBench({ withoutJournal: true });
  for (const path of ["/api/v1/journal", "/api/v1/why?subject=leader", "/api/v1/state"]) {
    const [status, { detail }] = await made.json(path);
    expect([path, status, detail]).toEqual([path, 404, "this node keeps no journal"]);
  }
  const [status] = await made.json("/api/v1/cluster");
  expect(status).toBe(200);
});

test("what is wrong with a request is named", async () => {
  const made = bench();
  const of = async (path: string, init: RequestInit = {}) => {
    const [status, { errors, detail }] = await made.json(path, init);
    const named = (errors as { readonly path: string }[] | undefined)?.map(({ path: at }) => at);
    return [status, named ?? detail];
  };
  expect(await of("/api/v1/journal?limit=0&order=up&more=1")).toEqual([
    400,
    ["limit", "order", "more"],
  ]);
  expect(await of("/api/v1/journal?since=yesterday")).toEqual([400, ["since"]]);
  expect(await of("/api/v1/journal?limit=1&limit=2")).toEqual([400, ["limit"]]);
  expect(await of("/api/v1/why?subject=ban")).toEqual([400, '"ban" needs the parameter "node"']);
  expect(await of("/api/v1/actions/ban", post({ node: -1, seconds: 1e9 }))).toEqual([
    400,
    ["node", "seconds"],
  ]);
  expect(await of("/api/v1/actions/enable", post("{"))).toEqual([
    400,
    expect.stringContaining("no JSON"),
  ]);
  const plain = { headers: { "content-type": "text/plain" } };
  expect((await of("/api/v1/actions/enable", post({ node: 1 }, plain)))[0]).toBe(415);
  expect((await of("/api/v1/actions/enable", post("x".repeat(20_000))))[0]).toBe(413);
});

test("paths that are none, other methods and long ones are problems", async () => {
  const made = bench();
  const statusOf = async (path: string, method = "GET") => {
    const response = await made.ask(path, { method });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    return [response.status, response.headers.get("allow")];
  };
  expect(await statusOf("/api/v1/nothing")).toEqual([404, null]);
  expect(await statusOf("/api/v1/tool/catdb")).toEqual([404, null]);
  expect(await statusOf("/api/v1/tool/..%2f..%2fetc%2fpasswd")).toEqual([404, null]);
  expect(await statusOf("/api/v1/tool/%2e%2e/%2e%2e/x")).toEqual([404, null]);
  expect(await statusOf("/%")).toEqual([404, null]);
  expect(await statusOf("/metrics", "POST")).toEqual([405, "GET, HEAD"]);
  expect(await statusOf("/api/v1/session", "PUT")).toEqual([405, "POST, GET, HEAD, DELETE"]);
  expect(await statusOf(`/${"x".repeat(9000)}`)).toEqual([414, null]);
});

test("answers have the headers that keep browsers from guessing", async () => {
  const made = bench();
  for (const path of ["/api/v1/cluster", "/metrics", "/livez", "/nothing"]) {
    const { headers } = await made.ask(path);
    expect([path, headers.get("x-content-type-options")]).toEqual([path, "nosniff"]);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
  }
});

test("a mistake of ours shows nothing of its inside, and is in the log", async () => {
  const made = new AdminBench({ run: () => Promise.reject(new Error("the secret inside")) });
  const response = await made.ask("/api/v1/tool/pnn");
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("secret");
  expect(made.logged.join()).toContain("the secret inside");
});

test("an answer that takes too long is a 504", async () => {
  const made = new AdminBench({ run: () => new Promise(() => {}) });
  const answer = made.ask("/api/v1/tool/pnn");
  await made.time.advance(15_001);
  expect((await answer).status).toBe(504);
});

test("more requests at once than may be are refused", async () => {
  const made = new AdminBench({ run: () => new Promise(() => {}) });
  const waiting = Array.from({ length: 128 }, () => made.ask("/api/v1/tool/pnn"));
  const response = await made.ask("/livez");
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  await made.time.advance(15_001);
  expect((await Promise.all(waiting)).map(({ status }) => status)).toContain(504);
  expect((await made.ask("/livez")).status).toBe(200);
});

test("the page is for everybody, under a policy of its own", async () => {
  const page = [
    {
      path: "/",
      contentType: "text/html; charset=utf-8",
      text: "<!doctype html>",
      contentSecurityPolicy: "script-src 'self'",
    },
    { path: "/page.js", contentType: "text/javascript; charset=utf-8", text: "1" },
  ];
  const made = new AdminBench({ page });
  const response = await made.ask("/", {}, STRANGER);
  expect([response.status, await response.text()]).toEqual([200, "<!doctype html>"]);
  expect(response.headers.get("content-security-policy")).toBe("script-src 'self'");
  expect((await made.ask("/page.js", {}, STRANGER)).status).toBe(200);
  expect((await made.ask("/", { method: "POST" }, STRANGER)).status).toBe(405);
});

test("the cluster's document says whether this caller may act", async () => {
  const made = bench();
  const actionsOf = async (init: RequestInit) =>
    (await made.json("/api/v1/cluster", init, STRANGER))[1]["actions"];
  expect([await actionsOf(bearer(READER)), await actionsOf(bearer(ACTOR))]).toEqual([false, true]);
  expect(made.looks).toBe(1);
});
