/**
 * ctdb_etcd_lock against Debian's etcd with TLS, certificates of clients, and logins: what works, and that what is wrong is
 * told in a bounded time.
 */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { CertificateAuthority, openssl } from "../support/certificates.ts";
import { EtcdServer, etcdInstalled } from "../support/etcd_server.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";
import { type EtcdHelper, endOf, startHelper } from "./etcd_helper.ts";
import { step } from "./mixed/steps.ts";

const etcd = test.skipIf(!etcdInstalled());
const LIMIT_MS = 120_000;
/** Twice read_timeout, of 1 s, and the start of the helper on a busy machine. */
const SOON_MS = 8000;
const [USER, PASSWORD] = ["ctdb", "secret = word"];
const TTL_SEC = 6;
/**
 * etcd's simple tokens end before our next request; those that are signed do not, but with every change to users, of which
 * etcd tells nothing in the kind of its error.
 */
type Tokens = "short" | "signed";

type Options = Readonly<Record<string, string>>;

async function makeCertificates(directory: TemporaryDirectory) {
  const authority = await CertificateAuthority.make(directory, "authority");
  const stranger = await CertificateAuthority.make(directory, "stranger");
  const [server, client, named, expired, foreign] = await Promise.all([
    authority.issue("server"),
    authority.issue("client"),
    authority.issue("named", { hasCommonName: true }),
    authority.issue("expired", { isExpired: true }),
    stranger.issue("foreign"),
  ]);
  return { authority, stranger, server, client, named, expired, foreign };
}

async function withSecureEtcd(
  tokens: Tokens,
  action: (
    server: EtcdServer,
    start: (changes?: Options) => EtcdHelper,
    directory: TemporaryDirectory,
    made: Awaited<ReturnType<typeof makeCertificates>>,
  ) => Promise<void>,
): Promise<void> {
  using directory = new TemporaryDirectory("etcd");
  const made = await makeCertificates(directory);
  const { authority, server, client } = made;
  const tls = { authority: authority.certificate, server, client };
  const more = tokens === "short" ? ["--auth-token-ttl", "1"] : await signedTokens(directory);
  await using etcdServer = await EtcdServer.start(directory, { tls, more });
  await etcdServer.enableLogin(USER, PASSWORD);
  const good = {
    port: `${etcdServer.port}`,
    protocol: "https",
    ca_cert: authority.certificate,
    cert: client.certificate,
    key: client.key,
    username: USER,
    password: PASSWORD,
    lock_ttl: `${TTL_SEC}`,
    refresh: "2",
    read_timeout: "1",
  };
  const helpers: EtcdHelper[] = [];
  const start = (changes: Options = {}) => {
    const helper = startHelper(directory, { ...good, ...changes });
    helpers.push(helper);
    return helper;
  };
  try {
    await action(etcdServer, start, directory, made);
  } finally {
    for (const { child } of helpers) child.kill("SIGKILL");
  }
}

/** Options of etcd. */
async function signedTokens(directory: TemporaryDirectory): Promise<readonly string[]> {
  const [key, publicKey] = [directory.file("token.key"), directory.file("token.pub")];
  await openssl("genrsa", "-out", key, "2048");
  await openssl("rsa", "-in", key, "-pubout", "-out", publicKey);
  return ["--auth-token", `jwt,priv-key=${key},pub-key=${publicKey},sign-method=RS256,ttl=10m`];
}

async function expectRefusal(helper: EtcdHelper, status: "2" | "3", said: RegExp): Promise<void> {
  const startMs = performance.now();
  expect([await helper.status(), await endOf(helper)]).toEqual([status, 1]);
  expect(performance.now() - startMs).toBeLessThan(SOON_MS);
  expect(await helper.stderr()).toMatch(said);
}

for (const tokens of ["short", "signed"] as const) {
  etcd(
    `ctdb_etcd_lock holds the lock over TLS with a login while users change, with ${tokens} tokens`,
    () =>
      withSecureEtcd(tokens, async (server, start, directory, { client }) => {
        const both = directory.file("both.pem");
        const pems = [client.certificate, client.key].map((path) => readFileSync(path, "utf8"));
        writeFileSync(both, pems.join(""));
        const first = start({ cert: both, key: both });
        expect(await first.status()).toBe("0");
        const takenMs = performance.now();
        expect(await start().status()).toBe("1");
        await server.call("auth/user/add", { name: "another", password: "x" });
        await until("the lease would have ended twice", LIMIT_MS, () =>
          when(performance.now() - takenMs > 2 * TTL_SEC * 1000),
        );
        expect(first.child.exitCode).toBeNull();
        expect(await start().status()).toBe("1");
        first.child.kill("SIGTERM");
        expect(await endOf(first)).toBe(0);
        expect(await first.stderr()).toBe("");
        const next = start();
        expect(await next.status()).toBe("0");
        await server.call("auth/user/changepw", { name: USER, password: "other" });
        expect(await endOf(next)).toBe(1);
        expect(await next.stderr()).toMatch(/authentication failed(.|\n)*lock lost/);
      }),
    LIMIT_MS,
  );
}

etcd(
  "ctdb_etcd_lock says what is wrong with certificates and logins",
  () =>
    withSecureEtcd("short", async (_server, start, directory, made) => {
      const { stranger, client, named, expired, foreign } = made;
      const ours = ({ certificate, key }: typeof client) => ({ cert: certificate, key });
      const garbage = directory.file("garbage");
      writeFileSync(garbage, "no certificate\n");
      const refusals: readonly (readonly [Options, RegExp])[] = [
        [{ ca_cert: stranger.certificate }, /cannot trust the server's certificate/],
        [ours(expired), /the server refuses our certificate/],
        [ours(foreign), /the server refuses our certificate/],
        [{ cert: client.certificate, key: foreign.key }, /expected certificates and the key/],
        [{ ca_cert: garbage }, /expected certificates .*garbage/],
        [{ cert: garbage }, /expected certificates .*garbage/],
        [{ ca_cert: "/nowhere/ca" }, /"?\/nowhere\/ca/],
        [ours(named), /CommonName/],
        [{ password: "wrong" }, /invalid user ID or password/],
        [{ username: "nobody" }, /invalid user ID or password/],
        [{ locks_dir: "not_ours" }, /permission denied/],
        [{ protocol: "http" }, /http:\/\/127\.0\.0\.1/],
        [{ host: "no host" }, /no host/],
      ];
      for (const [changes, said] of refusals) {
        await step(`${said}`, () => expectRefusal(start(changes), "3", said));
      }
    }),
  LIMIT_MS,
);

test(
  "ctdb_etcd_lock does not wait for a server that hangs in the handshake, nor trust one that is expired or another",
  async () => {
    using directory = new TemporaryDirectory("etcd");
    const authority = await CertificateAuthority.make(directory, "authority");
    const options = { protocol: "https", ca_cert: authority.certificate, read_timeout: "1" };
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    try {
      const port = `${(silent.address() as AddressInfo).port}`;
      const hanging = startHelper(directory, { ...options, port });
      await expectRefusal(hanging, "2", /no answer within 1 s/);
    } finally {
      silent.close();
    }
    const { certificate, key } = await authority.issue("expired", { isExpired: true });
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { cert: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") },
      fetch: () => new Response("{}"),
    });
    const port = `${server.port}`;
    await expectRefusal(startHelper(directory, { ...options, port }), "3", /expired/);
    const elsewhere = startHelper(directory, { ...options, port, host: "127.0.0.2" });
    await expectRefusal(elsewhere, "3", /127\.0\.0\.2/);
  },
  LIMIT_MS,
);
