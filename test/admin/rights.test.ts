/** Who may do what: tokens, cookies, rates, nodes. */
import { expect, test } from "bun:test";
import { parseTokens } from "../../src/admin/auth/tokens.ts";
import { ACTOR, AdminBench, bearer, DONE, post, READER, STRANGER } from "./bench.ts";

const READ = "/api/v1/cluster";
const NODE = { kind: "node", node: 1 } as const;
const CERTIFIED = { ...STRANGER, certified: true };

async function statusOf(
  bench: AdminBench,
  path: string,
  init: RequestInit = {},
  origin: Parameters<AdminBench["ask"]>[2] = STRANGER,
): Promise<number> {
  return (await bench.ask(path, init, origin)).status;
}

/** The cookie and the CSRF token of a new session. */
async function signIn(bench: AdminBench, token = ACTOR.token) {
  const response = await bench.ask("/api/v1/session", post({ token }), STRANGER);
  const { csrf_token } = (await response.json()) as { readonly csrf_token: string };
  const setCookie = response.headers.get("set-cookie") ?? "";
  return { cookie: setCookie.split(";")[0] ?? "", setCookie, csrfToken: csrf_token };
}

test("nothing but health and the page is for those whom nobody knows", async () => {
  const bench = new AdminBench({ actions: true });
  for (const { method, path, right, body } of bench.api.routes) {
    const init = body === undefined ? { method } : post({});
    const response = await bench.ask(path, init, STRANGER);
    await response.body?.cancel();
    expect([path, response.status === 401]).toEqual([path, right !== "none"]);
  }
  const { headers } = await bench.ask(READ, {}, STRANGER);
  expect(headers.get("www-authenticate")).toContain("Bearer");
});

test("a stranger learns of health yes or no, and nothing else", async () => {
  const bench = new AdminBench();
  const verbose = await bench.ask("/readyz?verbose", {}, STRANGER);
  expect([verbose.status, await verbose.text()]).toEqual([200, "ok"]);
  const known = await bench.ask("/readyz?verbose", bearer(READER), STRANGER);
  expect(await known.text()).toContain("[+]leader ok");
});

test("a token reads, or acts, as its line says", async () => {
  const bench = new AdminBench({ actions: true, run: async () => DONE });
  expect(await statusOf(bench, READ, bearer(READER))).toBe(200);
  expect(await statusOf(bench, READ, bearer(ACTOR))).toBe(200);
  const act = (token: typeof READER) =>
    bench.act("recover", {}, bearer(token), STRANGER).then(([status]) => status);
  expect(await act(READER)).toBe(403);
  expect(await act(ACTOR)).toBe(200);
});

test.each([
  "Bearer wrong-token-0123456789",
  `Bearer ${READER.token}x`,
  `Bearer ${READER.token.slice(0, -1)}`,
  `Basic ${READER.token}`,
  "Bearer",
  "Bearer ",
  `Bearer ${READER.token} ${READER.token}`,
  `Bearer ${"x".repeat(5000)}`,
])("the authorization %p is refused", async (authorization) => {
  const bench = new AdminBench();
  expect(await statusOf(bench, READ, { headers: { authorization } })).toBe(401);
  // A wrong proof is no better where none is needed.
  expect(await statusOf(bench, "/livez", { headers: { authorization } })).toBe(401);
});

test("actions are off by default, for everybody", async () => {
  const bench = new AdminBench();
  const act = async (...args: Parameters<AdminBench["act"]>) => (await bench.act(...args))[0];
  expect(await act("recover", {})).toBe(403);
  expect(await act("recover", {}, bearer(ACTOR), STRANGER)).toBe(403);
  expect(bench.runs).toEqual([]);
});

test("other nodes and certificates only read", async () => {
  const bench = new AdminBench({ actions: true });
  for (const origin of [NODE, CERTIFIED]) {
    expect(await statusOf(bench, READ, {}, origin)).toBe(200);
    expect((await bench.act("recover", {}, {}, origin))[0]).toBe(403);
  }
  const events = await bench.json("/api/v1/events", {}, NODE);
  expect(events).toMatchObject([400, { detail: "messages carry no streams" }]);
});

test("the page exchanges its token for a cookie that scripts cannot read", async () => {
  const bench = new AdminBench({ actions: true });
  const { cookie, setCookie } = await signIn(bench);
  expect(setCookie).toMatch(
    /^ctdb_session=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/,
  );
  expect(await statusOf(bench, READ, { headers: { cookie } })).toBe(200);
  expect(await statusOf(bench, READ, { headers: { cookie: `a=b; ${cookie}; c` } })).toBe(200);
  expect(await statusOf(bench, "/api/v1/session", post({ token: "wrong-token-0123456789" }))).toBe(
    401,
  );
});

test("an action by cookie needs the CSRF token of its session", async () => {
  const bench = new AdminBench({ actions: true, run: async () => DONE });
  const one = await signIn(bench);
  const other = await signIn(bench);
  const act = async (headers: Record<string, string>) =>
    (await bench.act("recover", {}, { headers }, STRANGER))[0];
  expect(await act({ cookie: one.cookie })).toBe(403);
  expect(await act({ cookie: one.cookie, "x-csrf-token": "" })).toBe(403);
  expect(await act({ cookie: one.cookie, "x-csrf-token": other.csrfToken })).toBe(403);
  expect(await act({ cookie: one.cookie, "x-csrf-token": one.csrfToken })).toBe(200);
  const [, session] = await bench.json(
    "/api/v1/session",
    { headers: { cookie: one.cookie } },
    STRANGER,
  );
  expect(session).toMatchObject({ right: "act", csrf_token: one.csrfToken });
});

test("a session ends when it is told to, with its time, and with its token", async () => {
  const bench = new AdminBench();
  const reads = async ({ cookie }: { readonly cookie: string }) =>
    (await statusOf(bench, READ, { headers: { cookie } })) === 200;
  const left = await signIn(bench);
  await bench.ask(
    "/api/v1/session",
    { method: "DELETE", headers: { cookie: left.cookie } },
    STRANGER,
  );
  expect(await reads(left)).toBe(false);

  const quiet = await signIn(bench);
  await bench.time.advance(3_600_001);
  expect(await reads(quiet)).toBe(false);

  const long = await signIn(bench);
  for (let hour = 0; hour < 13; hour++) {
    await bench.time.advance(3_500_000);
    if (hour < 12) expect(await reads(long)).toBe(true);
  }
  expect(await reads(long)).toBe(false);

  const revoked = await signIn(bench);
  bench.tokens = [READER];
  expect(await reads(revoked)).toBe(false);
});

test("sessions are bounded: the one that was quiet for longest goes", async () => {
  const bench = new AdminBench();
  const first = await signIn(bench);
  await bench.time.advance(1);
  const second = await signIn(bench);
  for (let i = 0; i < 255; i++) {
    await bench.time.advance(1);
    await signIn(bench);
  }
  expect(bench.api.counts().sessions).toBe(256);
  expect(await statusOf(bench, READ, { headers: { cookie: first.cookie } })).toBe(401);
  expect(await statusOf(bench, READ, { headers: { cookie: second.cookie } })).toBe(200);
});

test("who tries wrong tokens is refused for a while, right ones included", async () => {
  const bench = new AdminBench({ rates: { wrongTokens: { perSecond: 0.2, burst: 10 } } });
  const wrong = { headers: { authorization: "Bearer wrong-token-0123456789" } };
  const statuses = [];
  for (let i = 0; i < 12; i++) statuses.push(await statusOf(bench, READ, wrong));
  expect(statuses.indexOf(429)).toBe(10);
  const refused = await bench.ask(READ, bearer(READER), STRANGER);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
  const other = { ...STRANGER, address: "192.0.2.8" };
  expect(await statusOf(bench, READ, bearer(READER), other)).toBe(200);
  await bench.time.advance(5000);
  expect(await statusOf(bench, READ, bearer(READER))).toBe(200);
});

test("a caller that asks too often waits, others do not", async () => {
  const bench = new AdminBench({ rates: { requests: { perSecond: 2, burst: 3 } } });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push(await statusOf(bench, READ, bearer(READER)));
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect(await statusOf(bench, READ, bearer(ACTOR))).toBe(200);
  await bench.time.advance(500);
  expect(await statusOf(bench, READ, bearer(READER))).toBe(200);
});

test("what is remembered of callers does not grow with them", async () => {
  const bench = new AdminBench({ rates: { requests: { perSecond: 1, burst: 1 } } });
  for (let i = 0; i < 5000; i++) {
    await bench.ask("/livez", {}, { ...STRANGER, address: `2001:db8::${i.toString(16)}` });
  }
  // The first one was forgotten; it would have to wait otherwise.
  expect(await statusOf(bench, "/livez", {}, { ...STRANGER, address: "2001:db8::0" })).toBe(200);
  expect(await statusOf(bench, "/livez", {}, { ...STRANGER, address: "2001:db8::1387" })).toBe(429);
});

test.each<[string, string]>([
  ["# tokens\n\nreader-token-0123456789 read\n\tactor-token-0123456789   act\r\n", "read act"],
  ["short read", "line 1: expected a token of 16 to 512 characters, got 5"],
  ["reader-token-0123456789", 'line 1: expected "TOKEN read" or "TOKEN act"'],
  ["reader-token-0123456789 write", 'line 1: expected "TOKEN read" or "TOKEN act"'],
  ["\nreader-tökén-0123456789 read", "line 2: expected a token of ASCII characters"],
  [`${"x".repeat(513)} act`, "line 1: expected a token of 16 to 512 characters, got 513"],
])("parseTokens(%p)", (text, expected) => {
  const parsed = parseTokens(text);
  expect(parsed.ok ? parsed.value.map(({ right }) => right).join(" ") : parsed.error).toBe(
    expected,
  );
});

test("what a browser asks for the page of another site is refused, root's socket included", async () => {
  const bench = new AdminBench({ actions: true, run: async () => DONE });
  const root = { kind: "unix" } as const;
  const asked = async (headers: Record<string, string>, origin: Parameters<AdminBench["ask"]>[2]) =>
    await statusOf(bench, READ, { headers: { ...headers } }, origin);
  const token = { authorization: `Bearer ${READER.token}` };
  for (const host of ["localhost", "node", "127.0.0.1:8080", "[::1]:8080"]) {
    expect([host, await asked({ host }, root)]).toEqual([host, 200]);
    const own = { host, origin: `http://${host}` };
    expect([host, await asked(own, root)]).toEqual([host, 200]);
    const other = { host, origin: "http://evil.example" };
    expect([host, await asked(other, root)]).toEqual([host, 403]);
    expect([host, await asked({ ...other, ...token }, STRANGER)]).toEqual([host, 403]);
  }
  expect(await asked({ host: "evil.example:8080" }, root)).toBe(421);
  expect(await asked({ host: "localhost", origin: "null" }, root)).toBe(403);
  expect(await asked({ host: "nas.example:4380", ...token }, STRANGER)).toBe(200);
});
