/**
 * Real nodes over mutual TLS (docs/tls.md): a cluster of three works, what is wrong is refused and counted with the rest
 * unharmed, and new keys, certificates and authorities lose nothing under load.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { spawn } from "bun";
import { nodeCertificate } from "../../src/authority/certificate.ts";
import { u64 } from "../../src/base/u64.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { systemKeys } from "../../src/platform/node/keys.ts";
import { runtimeTls } from "../../src/platform/node/tls_engine.ts";
import { bytesText, textBytes } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import {
  decodeNodeFacts,
  encodeNodeFactsRequest,
  type NodeFacts,
} from "../../src/wire/node_facts.ts";
import { addressBytes } from "../../src/wire/structs/socket_address.ts";
import { openssl } from "../support/certificates.ts";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";
import { must } from "../support/must.ts";
import { openRecords } from "../support/records.ts";
import { addressOf, ClusterAuthority, setTransport, useTls } from "../support/tls_cluster.ts";
import { until, when, within } from "../support/until.ts";

const TIMEOUT_MS = 240_000;
const STEP_MS = 60_000;
const DAY_MS = 86_400_000;
const NODE_PORT = 4379;
const ANSWER = u64(0xdc20_0000, 77);
const KEY = textBytes("counter");

type TlsFacts = NonNullable<NodeFacts["tls"]>;

async function tlsFacts(client: CtdbClient): Promise<TlsFacts> {
  const answer = Promise.withResolvers<Uint8Array>();
  const registered = must(
    await client.registerSrvid(ANSWER, (data) => answer.resolve(data.slice())),
  );
  client.sendMessage(
    client.pnn,
    SRVID.NODE_FACTS,
    encodeNodeFactsRequest({ id: 1, answer: ANSWER }),
  );
  const { tls } = must(decodeNodeFacts(await within("facts", STEP_MS, answer.promise)));
  registered.remove();
  if (tls === undefined) throw new Error("expected facts of TLS");
  return tls;
}

/** Three nodes that are up, for all tests. */
let cluster: TestCluster;
let authority: ClusterAuthority;
let clients: readonly CtdbClient[];
let end: () => void = () => {};
let running: Promise<void>;

beforeAll(async () => {
  const up = Promise.withResolvers<void>();
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  running = withCluster({ nodes: 3, startNothing: true }, async (made) => {
    cluster = made;
    authority = await useTls(made);
    await made.start();
    clients = await Promise.all(made.pnns.map((pnn) => made.connect(pnn)));
    up.resolve();
    await over;
  });
  running.catch(up.reject);
  await up.promise;
}, TIMEOUT_MS);

afterAll(async () => {
  end();
  await running;
}, TIMEOUT_MS);

async function refusedAt(pnn: number, cause: string): Promise<number> {
  const { refused } = await tlsFacts(clients[pnn] as CtdbClient);
  return refused[cause] ?? 0;
}

/** Whatever was tried, the cluster goes on as it was. */
async function expectUnharmed(): Promise<void> {
  const status = await cluster.ctdb(0, "status");
  expect(status.stdout.match(/ OK( \(THIS NODE\))?$/gm)?.length).toBe(3);
}

test(
  "nodes over TLS are a cluster",
  async () => {
    const attached = await cluster.ctdb(0, "attach", "over.tdb", "persistent");
    expect([attached.stderr, attached.code]).toEqual(["", 0]);
    await cluster.ctdb(1, "pstore", "over.tdb", "key", "/etc/hostname");
    const recovered = await cluster.ctdb(2, "recover");
    expect([recovered.stderr, recovered.code]).toEqual(["", 0]);
    await cluster.waitReady();
    const dump = await cluster.ctdb(2, "cattdb", "over.tdb");
    expect(dump.stdout).toContain('data(13) = "/etc/hostname"');
  },
  TIMEOUT_MS,
);

/** Certificate and key files for who connects from the address of node 2. */
type Shown = (address: string) => Promise<readonly [certificate: string, key: string] | undefined>;

/** One that the authority has signed, with this and that changed. */
function signed(change: { fromMs?: number; untilMs?: number; address?: string }): Shown {
  return (address) => {
    const directory = authority.directory;
    const caPem = readFileSync(join(directory, "ca.crt"), "utf8");
    const [ca] = must(runtimeTls.certificates(caPem));
    const key = must(systemKeys.read(readFileSync(join(directory, "ca.key"), "utf8")));
    const own = systemKeys.make();
    const nowMs = Date.now();
    const text = nodeCertificate(
      {
        serial: systemKeys.random(16),
        name: "a node of a test",
        key: own,
        fromMs: change.fromMs ?? nowMs - DAY_MS,
        untilMs: change.untilMs ?? nowMs + DAY_MS,
        addresses: [addressBytes(change.address ?? address)],
      },
      { name: ca?.subject.replace("CN=", "") ?? "", key },
      systemKeys,
    );
    const files = [join(directory, "test.crt"), join(directory, "test.key")] as const;
    writeFileSync(files[0], text);
    writeFileSync(files[1], own.pem);
    return Promise.resolve(files);
  };
}

/** From the same authority, but no node's. */
const ofAWebServer: Shown = async (address) => {
  const { directory } = authority;
  const file = (suffix: string) => join(directory, `web.${suffix}`);
  writeFileSync(
    file("ext"),
    `subjectAltName=IP:${address}\nextendedKeyUsage=serverAuth,clientAuth\n`,
  );
  await openssl(
    ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=web", "-keyout", file("key"), "-out", file("csr")],
  );
  await openssl(
    ...["x509", "-req", "-in", file("csr"), "-CA", join(directory, "ca.crt")],
    ...["-CAkey", join(directory, "ca.key"), "-CAcreateserial", "-extfile", file("ext")],
    ...["-days", "2", "-out", file("crt")],
  );
  return [file("crt"), file("key")];
};

const ofOtherAuthority: Shown = async (address) => {
  const other = new ClusterAuthority(`${authority.directory}-other`);
  await other.run("init");
  await other.run("node", address);
  const files = join(other.directory, "nodes", address);
  return [join(files, "node.crt"), join(files, "node.key")];
};

const CASES: readonly (readonly [cause: string, shown: Shown])[] = [
  ["no certificate", () => Promise.resolve(undefined)],
  ["other address", signed({ address: "192.0.2.1" })],
  ["expired", signed({ untilMs: Date.now() - 60_000 })],
  ["not yet valid", signed({ fromMs: Date.now() + 3_600_000 })],
  ["wrong purpose", ofAWebServer],
  ["other authority", ofOtherAuthority],
];

/** Debian's openssl connects from the address of node 2 to node 0. */
async function connectAsNode(files: readonly [string, string] | undefined): Promise<void> {
  const own = files === undefined ? [] : ["-cert", files[0], "-key", files[1]];
  const child = spawn(
    [
      ...["openssl", "s_client", "-connect", `${addressOf(cluster, 0)}:${NODE_PORT}`],
      ...["-bind", addressOf(cluster, 2), "-tls1_3", ...own],
    ],
    { stdin: "pipe", stdout: "ignore", stderr: "ignore" },
  );
  await within("it ends", STEP_MS, child.exited);
}

for (const [cause, shown] of CASES) {
  test(
    `who connects from a node's address is refused and counted: ${cause}`,
    async () => {
      const before = await refusedAt(0, cause);
      await connectAsNode(await shown(addressOf(cluster, 2)));
      expect(await refusedAt(0, cause)).toBe(before + 1);
      await expectUnharmed();
    },
    TIMEOUT_MS,
  );
}

test(
  "who speaks plain from a node's address is refused and counted",
  async () => {
    const before = await refusedAt(0, "plain");
    const closed = Promise.withResolvers<void>();
    const socket = connectTcp(
      { host: addressOf(cluster, 0), port: NODE_PORT, localAddress: addressOf(cluster, 2) },
      () => socket.write(Buffer.from("40000000434254440100000000000000", "hex")),
    );
    socket.on("error", () => {}).on("close", () => closed.resolve());
    await within("it is closed", STEP_MS, closed.promise);
    expect(await refusedAt(0, "plain")).toBe(before + 1);
    await expectUnharmed();
  },
  TIMEOUT_MS,
);

test(
  "a certificate that is taken back is refused, and its links end, within seconds",
  async () => {
    // What node 2 has is taken back; it comes again with another one.
    await authority.run("revoke", addressOf(cluster, 2));
    const before = await refusedAt(0, "revoked");
    for (const pnn of [0, 1]) authority.give(cluster, pnn);
    await until("node 2 is out", STEP_MS, async () => {
      const { stdout } = await cluster.ctdb(0, "status");
      return when(/pnn:2 .*DISCONNECTED/.test(stdout));
    });
    await until("it is refused", STEP_MS, async () =>
      when((await refusedAt(0, "revoked")) > before),
    );
    await authority.run("node", addressOf(cluster, 2));
    authority.give(cluster, 2);
    await cluster.waitReady();
  },
  TIMEOUT_MS,
);

test(
  "a plain node and nodes over TLS do not connect, and those go on",
  async () => {
    await cluster.stop(2);
    setTransport(cluster, 2, "tcp");
    const before = (await refusedAt(0, "plain")) + (await refusedAt(0, "timeout"));
    await cluster.start(2).catch(() => undefined);
    await until("it is refused", STEP_MS, async () =>
      when((await refusedAt(0, "plain")) + (await refusedAt(0, "timeout")) > before),
    );
    expect((await cluster.ctdb(0, "status")).stdout).toMatch(/pnn:2 .*DISCONNECTED/);
    expect((await cluster.ctdb(0, "ping", "-n", "1")).code).toBe(0);
    await cluster.stop(2);
    setTransport(cluster, 2, "tls");
    await cluster.start(2);
    await cluster.waitReady();
  },
  TIMEOUT_MS,
);

/** Adds to one record on every node, until told to stop; gives how often that was acknowledged. */
function countOnAllNodes(): { stop(): Promise<number>; turns(): number } {
  let stopped = false;
  let acknowledged = 0;
  const workers = [0, 1, 2].map(async (pnn) => {
    const database = await openRecords(clients[pnn] as CtdbClient, "tls_counter.tdb");
    while (!stopped) {
      const record = must(await database.fetchLock(KEY, { timeoutMs: STEP_MS }));
      const next = Number(bytesText(record.data) || "0") + 1;
      must(await record.store(textBytes(String(next)), STEP_MS));
      record.release();
      acknowledged += 1;
      // While the record is here a turn needs no answer of anybody, and the loop of this process would see nothing else.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    database.close();
  });
  return {
    turns: () => acknowledged,
    async stop() {
      stopped = true;
      await Promise.all(workers);
      return acknowledged;
    },
  };
}

test(
  "new authority, certificates and keys under load lose nothing, and no link",
  async () => {
    clients = await Promise.all(cluster.pnns.map((pnn) => cluster.connect(pnn)));
    const addresses = cluster.pnns.map((pnn) => addressOf(cluster, pnn));
    const generation = async () =>
      (await cluster.ctdb(0, "status")).stdout.match(/^Generation.*$/m);
    const before = await generation();
    const load = countOnAllNodes();
    const spread = async (...command: readonly string[]): Promise<void> => {
      const turns = load.turns();
      await authority.run(...command);
      for (const pnn of cluster.pnns) authority.give(cluster, pnn);
      for (const pnn of cluster.pnns) {
        expect((await cluster.ctdb(pnn, "reload")).code).toBe(0);
        const path = join(authority.directory, "nodes", addresses[pnn] ?? "", "node.crt");
        const [current] = must(runtimeTls.certificates(readFileSync(path, "utf8")));
        await until(`node ${pnn} has it`, STEP_MS, async () =>
          when((await tlsFacts(clients[pnn] as CtdbClient)).serial === current?.serial),
        );
      }
      await until("the load goes on", STEP_MS, () => when(load.turns() > turns + 50));
    };
    await spread("renew", ...addresses);
    await spread("rotate");
    await spread("renew", ...addresses);
    await spread("retire");
    const total = await load.stop();
    const database = await openRecords(clients[0] as CtdbClient, "tls_counter.tdb");
    const record = must(await database.fetchLock(KEY, { timeoutMs: STEP_MS }));
    expect(bytesText(record.data)).toBe(String(total));
    record.release();
    database.close();
    expect(await generation()).toEqual(before);
    // What is made anew is made with what is new.
    await cluster.stop(2);
    await cluster.start(2);
    await cluster.waitReady();
  },
  TIMEOUT_MS,
);
