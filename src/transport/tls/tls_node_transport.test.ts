import { expect, test } from "bun:test";
import { nodeTransportContract } from "../../../test/contract/node_transport.ts";
import {
  type FakeCertificate,
  fakeCertificate,
  fakeTexts,
  fakeTls,
} from "../../../test/support/fake_tls.ts";
import { FakeWorld } from "../../../test/support/fake_world.ts";
import { must } from "../../../test/support/must.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { loopbackWorld, memoryWorld, nodesIn } from "../../../test/support/transport_worlds.ts";
import { Authority } from "../../authority/authority.ts";
import { silentLogger } from "../../base/log.ts";
import { ok, type Result } from "../../base/result.ts";
import { SystemClock } from "../../platform/node/clock.ts";
import { SystemFiles } from "../../platform/node/file_system.ts";
import { systemKeys } from "../../platform/node/keys.ts";
import { readTexts, runtimeTls } from "../../platform/node/tls_engine.ts";
import type { Stream } from "../../platform/types/network.ts";
import { BROKEN_LINK_MS, HANDSHAKE_TIMEOUT_MS, LOOK_INTERVAL_MS } from "./limits.ts";
import { TlsLinks } from "./tls_links.ts";

nodeTransportContract("TlsNodeTransport in memory", () =>
  memoryWorld((address, surroundings) => {
    const log = silentLogger;
    const parts = { ...surroundings, engine: fakeTls, log, readTexts, directory: "/tls" };
    const links = new TlsLinks(parts);
    must(links.take(fakeTexts(fakeCertificate(address))));
    return links.transport;
  }),
);

const PREFIX = "127.104.32";
const authorityDirectory = new TemporaryDirectory("ca");
const files = new SystemFiles();
const authority = new Authority({
  files,
  keys: systemKeys,
  certificates: runtimeTls.certificates,
  clock: new SystemClock(),
  directory: authorityDirectory.file("ca"),
});
must(authority.init(10));
const addresses = nodesIn(PREFIX).map(({ address }) => address);
must(authority.issue(addresses, 5));

nodeTransportContract("TlsNodeTransport", () =>
  loopbackWorld(PREFIX, (address, surroundings) => {
    const directory = authorityDirectory.file(`ca/nodes/${address}`);
    const log = silentLogger;
    const links = new TlsLinks({ ...surroundings, engine: runtimeTls, readTexts, log, directory });
    must(links.take(links.paths.map((path) => must(files.readText(path)))));
    return links.transport;
  }),
);

/** Node 127.0.0.1 listens; its files can be changed. */
class Scene {
  readonly world = new FakeWorld();
  readonly texts = new Map<string, readonly string[]>();
  readonly accepted: Stream[] = [];
  readonly ends: string[] = [];
  readonly one = this.node("127.0.0.1");

  constructor() {
    must(
      this.one.transport.listen(
        "127.0.0.1",
        ({ stream }) => {
          this.accepted.push(stream);
          return { onData() {}, onDrain() {}, onClose: () => void this.ends.push("accepted") };
        },
        { paused() {}, resumed() {} },
      ),
    );
    this.one.start("127.0.0.1");
  }

  node(
    address: string,
    certificate: Partial<FakeCertificate> = {},
    given: { authorities?: string[]; revoked?: string } = {},
  ): TlsLinks {
    this.texts.set(address, fakeTexts(fakeCertificate(address, certificate), given));
    const { clock, timers } = this.world;
    const links = new TlsLinks({
      ...{ clock, timers, log: silentLogger, engine: fakeTls, directory: "/tls" },
      network: this.world.network(address, 1),
      readTexts: (_paths, read) => timers.soon(() => read(ok(this.texts.get(address) ?? []))),
    });
    must(links.take(this.texts.get(address) ?? []));
    return links;
  }

  connect(links: TlsLinks, address: string): string[] {
    const heard: string[] = [];
    links.transport.connect({ pnn: 0, address: "127.0.0.1" }, address, (outcome) => {
      heard.push(outcome.ok ? "up" : outcome.error.code);
      return { onData() {}, onDrain() {}, onClose: () => void heard.push("end") };
    });
    this.world.run(5000);
    return heard;
  }

  /** Bytes as from an address, without TLS. */
  plain(address: string, bytes: Uint8Array): { stream?: Stream } {
    const made: { stream?: Stream } = {};
    const to = { address: "127.0.0.1", port: 4379, timeoutMs: 1000 };
    this.world.network(address, 1).connectTcp(to, (outcome) => {
      if (outcome.ok) made.stream = outcome.value;
      if (outcome.ok && bytes.length > 0) outcome.value.write(bytes);
      return { onData() {}, onDrain() {}, onClose() {} };
    });
    this.world.settle();
    return made;
  }

  /** Causes that have counted. */
  refused(links = this.one): Readonly<Record<string, number>> {
    const counts = [...(links.facts?.refused ?? [])].filter(([, count]) => count > 0);
    return Object.fromEntries(counts);
  }
}

const NOW_MS = 1_700_000_000_000;

for (const [cause, certificate] of [
  ["other address", { addresses: ["127.0.0.3"] }],
  ["wrong purpose", { uris: [] }],
  ["expired", { notAfterMs: NOW_MS - 1000 }],
  ["not yet valid", { notBeforeMs: NOW_MS + 60_000 }],
  ["other authority", { authority: "B" }],
] as const) {
  test(`TlsNodeTransport refuses a certificate: ${cause}, on either side`, () => {
    const scene = new Scene();
    const two = scene.node("127.0.0.2", certificate);
    expect(scene.connect(two, "127.0.0.2")).toEqual(["EACCES"]);
    expect([scene.refused(), scene.accepted]).toEqual([{ [cause]: 1 }, []]);
    expect(scene.refused(two)).toEqual({ "ended by the other": 1 });

    // The one that listens is the wrong one now.
    const [text = ""] = fakeTexts(fakeCertificate("127.0.0.1", certificate));
    scene.texts.set("127.0.0.1", [text, "key", "A", ""]);
    scene.one.look();
    scene.world.settle();
    const good = scene.node("127.0.0.4");
    expect(scene.connect(good, "127.0.0.4")).toEqual(["EACCES"]);
    expect(scene.refused(good)).toEqual({ [cause]: 1 });
  });
}

test("TlsNodeTransport refuses a revoked certificate, and ends its links", () => {
  const scene = new Scene();
  const two = scene.node("127.0.0.2", { serial: "AB" });
  const heard = scene.connect(two, "127.0.0.2");
  expect([heard, scene.accepted.length]).toEqual([["up"], 1]);
  const [certificate = ""] = scene.texts.get("127.0.0.1") ?? [];
  scene.texts.set("127.0.0.1", [certificate, "key", "A", "# these\n00:ab 127.0.0.2 2026-01-01\n"]);
  scene.world.run(LOOK_INTERVAL_MS + 1000);
  expect([heard, scene.ends]).toEqual([["up", "end"], ["accepted"]]);
  expect(scene.connect(two, "127.0.0.2")).toEqual(["EACCES"]);
  expect(scene.refused()).toEqual({ revoked: 1 });
});

test("TlsNodeTransport refuses who speaks plain, says nothing or too much", () => {
  const scene = new Scene();
  scene.plain("127.0.0.2", Uint8Array.of(0x40, 0, 0, 0));
  scene.world.run(1000);
  expect(scene.refused()).toEqual({ plain: 1 });
  scene.plain("127.0.0.3", new Uint8Array());
  scene.world.run(HANDSHAKE_TIMEOUT_MS);
  expect(scene.refused()).toEqual({ plain: 1, timeout: 1 });
  scene.plain("127.0.0.4", new Uint8Array(100_000).fill(0x16));
  scene.world.run(1000);
  expect(scene.refused()).toEqual({ plain: 1, timeout: 1, "too much": 1 });
  // None of it is in the way of the next one.
  expect(scene.connect(scene.node("127.0.0.4"), "127.0.0.4")).toEqual(["up"]);
});

test("TlsNodeTransport lets few handshakes of one address begin, and those of others all the same", () => {
  const scene = new Scene();
  for (let i = 0; i < 6; i++) scene.plain("127.0.0.9", new Uint8Array());
  expect(scene.refused()).toEqual({ "too much": 2 });
  expect(scene.connect(scene.node("127.0.0.2"), "127.0.0.2")).toEqual(["up"]);
  scene.world.run(HANDSHAKE_TIMEOUT_MS);
  expect(scene.refused()).toEqual({ "too much": 2, timeout: 4 });
});

test("TlsLinks keeps a link whose certificate has ended when the node shows a new one", () => {
  const scene = new Scene();
  const two = scene.node("127.0.0.2", { notAfterMs: NOW_MS + 60_000 });
  must(
    two.transport.listen("127.0.0.2", () => ({ onData() {}, onDrain() {}, onClose() {} }), {
      paused() {},
      resumed() {},
    }),
  );
  const heard = scene.connect(two, "127.0.0.2");
  must(two.take(fakeTexts(fakeCertificate("127.0.0.2", { serial: "2" }))) as Result<void>);
  scene.world.run(120_000 + BROKEN_LINK_MS);
  expect([heard, scene.ends, scene.refused()]).toEqual([["up"], [], {}]);
});

test("TlsLinks ends a link whose certificate has ended when the node shows no new one", () => {
  const scene = new Scene();
  const two = scene.node("127.0.0.2", { notAfterMs: NOW_MS + 60_000 });
  const heard = scene.connect(two, "127.0.0.2");
  scene.world.run(60_000 + LOOK_INTERVAL_MS);
  expect(heard).toEqual(["up"]);
  scene.world.run(BROKEN_LINK_MS + LOOK_INTERVAL_MS);
  expect([heard, scene.ends]).toEqual([["up", "end"], ["accepted"]]);
});

test("TlsLinks keeps what it has when new files are wrong, and takes them when they are mended", () => {
  const scene = new Scene();
  scene.texts.set("127.0.0.1", ["", "key", "A", ""]);
  scene.world.run(LOOK_INTERVAL_MS);
  scene.texts.set("127.0.0.1", fakeTexts(fakeCertificate("127.0.0.1"), { revoked: "no number" }));
  scene.world.run(LOOK_INTERVAL_MS);
  expect(scene.one.facts?.serial).toBe("1");
  scene.texts.set("127.0.0.1", fakeTexts(fakeCertificate("127.0.0.1", { serial: "7" })));
  scene.world.run(LOOK_INTERVAL_MS);
  expect(scene.one.facts?.serial).toBe("7");
});
