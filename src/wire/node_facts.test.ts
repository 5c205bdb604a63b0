import { expect, test } from "bun:test";
import { must } from "../../test/support/must.ts";
import { emptyNodeFacts } from "../../test/support/node_facts.ts";
import { textBytes } from "../base/byte_text.ts";
import { u64 } from "../base/u64.ts";
import {
  decodeNodeFacts,
  decodeNodeFactsRequest,
  encodeNodeFacts,
  encodeNodeFactsRequest,
  NODE_FACTS_MAX,
} from "./node_facts.ts";

const ANSWER = u64(0xdc20_0000, 7);

test("decodeNodeFactsRequest() takes what encodeNodeFactsRequest() made, and nothing else", () => {
  const request = { id: 5, answer: ANSWER };
  expect(must(decodeNodeFactsRequest(encodeNodeFactsRequest(request)))).toEqual(request);
  for (const text of [
    "",
    "[]",
    "{}",
    '{"id":-1,"answer":"dc20000000000007"}',
    '{"id":1.5,"answer":"dc20000000000007"}',
    '{"id":1,"answer":7}',
    `{"id":1,"answer":"dc20000000000007","more":"${"x".repeat(2000)}"}`,
  ]) {
    expect([text, decodeNodeFactsRequest(textBytes(text)).ok]).toEqual([text, false]);
  }
});

test("decodeNodeFacts() takes what encodeNodeFacts() made", () => {
  const facts = emptyNodeFacts();
  expect(must(decodeNodeFacts(encodeNodeFacts(facts)))).toEqual(facts);
});

test("decodeNodeFacts() names what is wrong, and takes no more than it can hold", () => {
  const problem = (change: object) => {
    const outcome = decodeNodeFacts(encodeNodeFacts({ ...emptyNodeFacts(), ...change }));
    return outcome.ok ? "" : outcome.error;
  };
  expect(problem({ node: -1 })).toStartWith("node: ");
  expect(problem({ addresses: { taken: 1, released: "2", failed: 0 } })).toStartWith(
    "addresses.released: ",
  );
  const peers = Array.from({ length: NODE_FACTS_MAX.PEERS + 1 }, (_, node) => ({ node, bytes: 0 }));
  expect(problem({ queues: { ...emptyNodeFacts().queues, peers } })).toStartWith("queues.peers: ");
  expect(problem({ version: "x".repeat(2_000_000) })).toContain("at most");
});
