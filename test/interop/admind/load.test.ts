/**
 * ctdb-admind over real sockets and with bad manners: slow, huge and half requests, a thousand streams, tokens and
 * certificates, and what all that costs in memory.
 */
import { expect, test } from "bun:test";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { runCommand } from "../../support/command.ts";
import { type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { until, when, within } from "../../support/until.ts";
import { ACTOR, Admind, READER, type Runtime } from "./admind_process.ts";

const LIMIT_MS = 240_000;
const WAIT_MS = 60_000;
const STREAMS = 1000;
const IDLE_KILOBYTES_MAX = 60 * 1024;

/** A port that nobody has at the moment. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

async function raw(
  port: number,
): Promise<{ readonly socket: Socket; readonly text: () => string }> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
  socket.on("error", () => {});
  await within(
    "a connection is made",
    WAIT_MS,
    new Promise((resolve) => socket.once("connect", resolve)),
  );
  return { socket, text: () => Buffer.concat(chunks).toString("latin1") };
}

async function withoutManners(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}`;
  const authorization = `Bearer ${READER}`;
  const alive = async () => (await fetch(`${url}/livez`)).status;

  // Half a request, a byte at a time, and nothing at all.
  const halves = await Promise.all(Array.from({ length: 200 }, () => raw(port)));
  for (const [i, { socket }] of halves.entries()) {
    if (i % 3 === 0) socket.write("GET /api/v1/cluster HTTP/1.1\r\nHost: x\r\nX-Half: ");
    if (i % 3 === 1) socket.write("P");
  }
  expect(await alive()).toBe(200);

  // A body that never ends, and one that is longer than may be.
  const endless = await raw(port);
  endless.socket.write(
    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
  );
  const huge = await fetch(`${url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "x".repeat(1_000_000),
  });
  expect(huge.status).toBe(413);
  const declared = await raw(port);
  declared.socket.write(
    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n",
  );
  await until("a huge length is refused", WAIT_MS, () =>
    when(/^HTTP\/1\.1 4\d\d/.test(declared.text()) || declared.socket.closed),
  );

  // Headers and paths that are no good.
  const long = await fetch(`${url}/api/v1/cluster`, {
    headers: { authorization, "x-long": "y".repeat(100_000) },
  }).then(
    ({ status }) => status,
    () => 431,
  );
  expect([400, 431]).toContain(long);
  for (const line of [
    "GET /../../../../etc/passwd HTTP/1.1",
    "GET //etc/passwd HTTP/1.1",
    "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1",
    "GET http://elsewhere/etc/passwd HTTP/1.1",
    "GET \x00 HTTP/1.1",
    "nonsense",
  ]) {
    const { socket, text } = await raw(port);
    socket.write(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await until(`${line} is answered`, WAIT_MS, () => when(text() !== "" || socket.closed));
    expect(text()).not.toContain("root:");
    expect(text()).not.toContain(" 200 ");
    expect(text()).not.toContain(" 500 ");
    socket.destroy();
  }
  expect(await alive()).toBe(200);
  for (const { socket } of [...halves, endless, declared]) socket.destroy();
  expect(await alive()).toBe(200);
}

async function rights(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/api/v1/cluster`;
  const statusOf = async (init: RequestInit = {}) => (await fetch(url, init)).status;
  expect(await statusOf()).toBe(401);
  expect(await statusOf({ headers: { authorization: "Bearer wrong-token-0123456789" } })).toBe(401);
  expect(await statusOf({ headers: { authorization: `Bearer ${READER}` } })).toBe(200);
  const act = await fetch(`http://127.0.0.1:${port}/api/v1/actions/recover`, {
    method: "POST",
    body: "{}",
    headers: { authorization: `Bearer ${ACTOR}`, "content-type": "application/json" },
  });
  expect(act.status).toBe(403);
}

async function tokensCome(admind: Admind, cluster: TestCluster, port: number): Promise<void> {
  const file = `${cluster.base(0)}/tokens`;
  const statusOf = async (token: string) =>
    (
      await fetch(`http://127.0.0.1:${port}/api/v1/cluster`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status;
  writeFileSync(file, "another-token-0123456789 read\n", { mode: 0o600 });
  await until("a new token is known", WAIT_MS, async () =>
    when((await statusOf("another-token-0123456789")) === 200),
  );
  chmodSync(file, 0o640);
  await until("a file that others read is not believed", WAIT_MS, async () =>
    when((await statusOf("another-token-0123456789")) !== 200),
  );
  expect(await admind.status("/api/v1/cluster")).toBe(200);
  expect(statSync(admind.socket).mode & 0o777).toBe(0o700);
}

/** Over the unix socket, as many as the page of every office would open. */
async function manyStreams(admind: Admind): Promise<void> {
  const texts: string[] = [];
  const sockets: Socket[] = [];
  for (let i = 0; i < STREAMS; i++) {
    const socket = connect(admind.socket);
    sockets.push(socket);
    texts.push("");
    socket.on("data", (chunk) => {
      texts[i] += chunk.toString("latin1");
    });
    socket.write("GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
    if (i % 50 === 49) await new Promise((resolve) => socket.once("data", resolve));
  }
  const all = (part: string) => when(texts.every((text) => text.includes(part)));
  await until("every stream has begun", WAIT_MS, () => all("event: cluster"));
  // While others are answered.
  expect(await admind.status("/livez")).toBe(200);
  await admind.act("setvar", { node: 0, name: "MonitorInterval", value: 13 });
  await until("every stream tells of the action", WAIT_MS, () => all('"kind":"action"'));
  const text = await (await admind.ask("/metrics")).text();
  expect(text).toContain(`ctdb_admind_event_streams ${STREAMS}\n`);
  for (const socket of sockets) socket.destroy();
  await until("all of them are forgotten", WAIT_MS, async () =>
    when((await (await admind.ask("/metrics")).text()).includes("ctdb_admind_event_streams 0\n")),
  );
}

async function show(runtime: Runtime): Promise<void> {
  await withCluster({ nodes: 1 }, async (cluster) => {
    await cluster.waitReady();
    const port = freePort();
    {
      const admin = [`listen = 127.0.0.1:${port}`];
      await using admind = await Admind.start(cluster, 0, { runtime, admin });
      if (runtime === "bun") {
        const isSmall = () => when(admind.residentMemory() < IDLE_KILOBYTES_MAX);
        await until(
          "it is small when idle",
          WAIT_MS,
          isSmall,
          () => `${admind.residentMemory()} kB`,
        );
      }
      await rights(port);
      await withoutManners(port);
      await tokensCome(admind, cluster, port);
    }
    await using admind = await Admind.start(cluster, 0, { runtime, admin: ["actions = yes"] });
    await manyStreams(admind);
  });
}

test(
  "ctdb-admind of the executable bears bad manners and a thousand streams",
  () => show("bun"),
  LIMIT_MS,
);
test(
  "ctdb-admind under Deno bears bad manners and a thousand streams",
  () => show("deno"),
  LIMIT_MS,
);

/** A certificate authority, and a certificate of it for each name. */
async function makeCertificates(directory: string, ...names: readonly string[]): Promise<void> {
  const openssl = async (...args: readonly string[]) => {
    const { code, stderr } = await runCommand(["openssl", ...args]);
    if (code !== 0) throw new Error(stderr);
  };
  const path = (name: string, kind: string) => `${directory}/${name}.${kind}`;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const ca = ["-keyout", path("ca", "key"), "-out", path("ca", "pem"), "-subj", "/CN=authority"];
  await openssl("req", "-x509", ...key, ...ca, "-days", "2");
  for (const name of names) {
    const files = ["-keyout", path(name, "key"), "-out", path(name, "csr")];
    await openssl("req", ...key, ...files, "-subj", `/CN=${name}`);
    writeFileSync(path(name, "ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    const signed = ["-CA", path("ca", "pem"), "-CAkey", path("ca", "key"), "-CAcreateserial"];
    const request = ["-in", path(name, "csr"), "-out", path(name, "pem"), "-days", "2"];
    await openssl("x509", "-req", ...request, ...signed, "-extfile", path(name, "ext"));
  }
}

test(
  "over TLS a certificate of a client is wanted where an authority is named",
  async () => {
    await withCluster({ nodes: 1 }, async (cluster) => {
      await cluster.waitReady();
      const directory = cluster.base(0);
      await makeCertificates(directory, "server", "client");
      const port = freePort();
      const read = (name: string) => readFileSync(`${directory}/${name}`, "latin1");
      const ask = async (tls: object) =>
        await fetch(`https://127.0.0.1:${port}/api/v1/session`, {
          tls: { ca: read("ca.pem"), ...tls },
        } as RequestInit).then(
          async (response) => [response.status, await response.text()] as const,
          () => [0, ""] as const,
        );
      await using _ = await Admind.start(cluster, 0, {
        runtime: "bun",
        admin: [
          `listen = 127.0.0.1:${port}`,
          `tls certificate = ${directory}/server.pem`,
          `tls key = ${directory}/server.key`,
          `tls client ca = ${directory}/ca.pem`,
        ],
      });
      const certified = await ask({ cert: read("client.pem"), key: read("client.key") });
      expect(certified[0]).toBe(200);
      expect(certified[1]).toContain('"right":"read"');
      expect((await ask({}))[0]).not.toBe(200);
    });
  },
  LIMIT_MS,
);
