/** A node whose nodes file is another one: it is kept out, both sides say why, and the others go on. */
import { expect, test } from "bun:test";
import type { Result } from "../../src/base/result.ts";
import { U64_ZERO } from "../../src/base/u64.ts";
import type { ConfiguredNode } from "../../src/config/types.ts";
import { decodeExact, EMPTY, textBytes } from "../../src/wire/codec.ts";
import { PING_KNOWLEDGE } from "../../src/wire/controls.ts";
import { buildReqMessage } from "../../src/wire/packets/message.ts";
import { nodeKnowledge } from "../../src/wire/structs/cluster.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { must } from "../support/must.ts";
import { FakeNode } from "./fake_cluster.ts";

/** "ab#": lines with the addresses of hosts a and b, and one that is deleted. */
function lines(text: string): ConfiguredNode[] {
  return [...text].map((letter, pnn) => {
    const address = `127.0.0.${letter.charCodeAt(0) - 96}`;
    return letter === "#" ? { pnn, address: "", deleted: true } : { pnn, address, deleted: false };
  });
}

/** Hosts a, b, c …, each with the lines of its nodes file. */
class Hosts {
  readonly world = new FakeWorld();
  readonly nodes = new Map<string, FakeNode>();
  readonly #all: string;

  constructor(lists: Readonly<Record<string, string>>) {
    this.#all = Object.keys(lists).join("");
    for (const [host, list] of Object.entries(lists)) this.start(host, list);
    this.world.run(3000);
  }

  start(host: string, list: string): void {
    const nodes = lines(list);
    const at = this.#all.indexOf(host);
    const node = new FakeNode(this.world, lines(this.#all), at, { nodes });
    this.nodes.set(host, node);
    node.start();
  }

  stop(host: string): void {
    this.node(host).daemon.shutdown(0, "test");
    this.world.settle();
  }

  node(host: string): FakeNode {
    const node = this.nodes.get(host);
    if (node === undefined) throw new Error(`no host ${host}`);
    return node;
  }

  /** "a: b; b: a; c:": whom each is connected to, by the hosts' letters. */
  connections(): string {
    const texts = [...this.nodes].map(([host, { daemon }]) => {
      const table = daemon.node?.nodes;
      const others = (table?.connectedNodes() ?? []).filter((pnn) => pnn !== table?.ownPnn);
      const letters = others.map((pnn) => letterOf(table?.entry(pnn)?.address ?? ""));
      return `${host}: ${letters.sort().join("")}`;
    });
    return texts.join("; ");
  }

  /** Of whom a node's PING says that something is wrong. */
  complaints(host: string): string {
    const node = this.node(host);
    const answer = must(node.client().control("PING", undefined, { flags: PING_KNOWLEDGE }));
    const { problems } = must(decodeExact(nodeKnowledge, answer.data));
    for (const { pnn, text } of problems) expect(text).toContain(`Node ${pnn} (127.0.0.`);
    const table = node.daemon.node?.nodes;
    return problems.map(({ pnn }) => letterOf(table?.entry(pnn)?.address ?? "")).join("");
  }

  lost(host: string): number {
    return this.node(host).records.lost.length;
  }
}

const letterOf = (address: string) => String.fromCharCode(96 + Number(address.split(".")[3]));

for (const [what, list] of [
  ["two lines swapped", "bac"],
  ["its own line swapped with another", "acb"],
  ["an extra line in front", "xabc"],
] as const) {
  test(`a node with ${what} is kept out, says why as the others do, and comes in when it is mended`, () => {
    const hosts = new Hosts({ a: "abc", b: "abc", c: list });
    const apart = "a: b; b: a; c: ";
    expect(hosts.connections()).toBe(apart);
    expect([..."abc"].map((host) => hosts.complaints(host))).toEqual([
      "c",
      "c",
      list === "bac" ? "ba" : "ab",
    ]);
    const lost = hosts.lost("a");
    expect(lost).toBeLessThan(2);
    for (let second = 0; second < 100; second++) {
      hosts.world.run(1000);
      expect(hosts.connections()).toBe(apart);
    }
    expect(hosts.lost("a")).toBe(lost);
    hosts.stop("c");
    hosts.start("c", "abc");
    hosts.world.run(6000);
    expect(hosts.connections()).toBe("a: bc; b: ac; c: ab");
    expect([..."abc"].map((host) => hosts.complaints(host))).toEqual(["", "", ""]);
  });
}

test("a node without the line of another says that it is refused, and is kept out by the rest", () => {
  const hosts = new Hosts({ a: "abc", b: "abc", c: "ac" });
  hosts.world.run(30_000);
  expect(hosts.connections()).toBe("a: b; b: a; c: ");
  expect([..."abc"].map((host) => hosts.complaints(host))).toEqual(["c", "c", "a"]);
  hosts.stop("c");
  hosts.world.run(2000);
  expect(hosts.complaints("b")).toBe("");
});

test("a node is kept out by those too whose own lines it has right", () => {
  const hosts = new Hosts({ a: "abcd", b: "abcd", c: "bacd", d: "abcd" });
  const apart = "a: bd; b: ad; c: ; d: ab";
  expect(hosts.connections()).toBe(apart);
  expect(hosts.complaints("d")).toBe("c");
  expect(hosts.complaints("c")).toBe("bad");
  const lost = hosts.lost("d");
  hosts.world.run(100_000);
  expect(hosts.connections()).toBe(apart);
  expect(hosts.lost("d")).toBe(lost);
});

test("a node that is kept out is told the node map, and nothing else", () => {
  const hosts = new Hosts({ a: "abcd", b: "abcd", c: "bacd", d: "abcd" });
  const options = { srvid: U64_ZERO, flags: 0, anyway: true };
  const told = { GET_NODEMAP: 0, GET_PNN: 0, refused: 0 };
  // Its connections are up for a second every half minute.
  for (let tenth = 0; tenth < 400; tenth++) {
    for (const name of ["GET_NODEMAP", "GET_PNN"] as const) {
      const heard = (outcome: Result<unknown>) => {
        if (outcome.ok) told[name] += 1;
        else if (outcome.error === "this node does not let you in") told.refused += 1;
      };
      hosts.node("c").daemon.node?.controls.send(3, name, EMPTY, heard, 5000, options);
    }
    hosts.world.run(100);
  }
  expect(told.GET_NODEMAP).toBeGreaterThan(0);
  expect(told).toEqual({ ...told, GET_PNN: 0, refused: told.GET_NODEMAP });
});

test("nodes stay together while their files are reloaded one after the other", () => {
  const hosts = new Hosts({ a: "ab", b: "ab", c: "abc" });
  expect(hosts.connections()).toBe("a: b; b: a; c: ");
  for (const host of "ab") {
    hosts.node(host).nodesFile = { ok: true, value: lines("abc") };
    hosts.node(host).client().control("RELOAD_NODES_FILE", undefined);
    hosts.world.run(2000);
    expect(hosts.connections()).toBe(host === "a" ? "a: bc; b: a; c: a" : "a: bc; b: ac; c: ab");
  }
  for (const host of "bac") {
    hosts.node(host).nodesFile = { ok: true, value: lines("abc#") };
    hosts.node(host).client().control("RELOAD_NODES_FILE", undefined);
    hosts.world.run(2000);
    expect(hosts.connections()).toBe("a: bc; b: ac; c: ab");
    expect(hosts.complaints(host)).toBe("");
  }
});

test("a mended file is taken with a reload", () => {
  const hosts = new Hosts({ a: "abcd", b: "abcd", c: "bacd", d: "abcd" });
  hosts.node("c").nodesFile = { ok: true, value: lines("abcd") };
  hosts.world.run(10_000);
  hosts.node("c").client().control("RELOAD_NODES_FILE", undefined);
  hosts.world.run(12_000);
  expect(hosts.connections()).toBe("a: bcd; b: acd; c: abd; d: abc");
  expect([..."abcd"].map((host) => hosts.complaints(host)).join("")).toBe("");
});

test("a wrong number on a link that was right costs the link, and not more", () => {
  const hosts = new Hosts({ a: "ab", b: "ab" });
  const header = { generation: 1, destnode: 0, srcnode: 1, reqid: 0 };
  const message = buildReqMessage(header, { srvid: { hi: 0, lo: 1 }, data: textBytes("abc") });
  const before = hosts.node("a").daemon.node?.input.refused.node ?? 0;
  message.srcnode = 9;
  hosts.node("b").daemon.node?.routing.output.send(0, message);
  hosts.world.run(100);
  expect(hosts.node("a").daemon.node?.input.refused.node).toBe(before + 1);
  expect(hosts.lost("a")).toBe(1);
  hosts.world.run(3000);
  expect(hosts.connections()).toBe("a: b; b: a");
  expect(hosts.complaints("a")).toBe("");
});
