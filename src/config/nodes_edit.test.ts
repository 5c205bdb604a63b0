import { expect, test } from "bun:test";
import { must } from "../../test/support/must.ts";
import { type NodesOutcome, parseNodes } from "./nodes.ts";
import { lineDifferences, withNodeAdded, withNodeRemoved } from "./nodes_edit.ts";

/** What the lines say, by pnn. */
function nodesOf(text: string) {
  const nodes: NodesOutcome = parseNodes(text, "nodes");
  if (!nodes.ok) throw new Error(`expected a nodes file, got ${JSON.stringify(nodes.error)}`);
  return nodes.value;
}

const FILE = "10.0.0.1\n\n 10.0.0.2\t\r\n#10.0.0.3\n10.0.0.4";

test("withNodeAdded() appends a line and keeps all others as they are", () => {
  expect(must(withNodeAdded(FILE, "10.0.0.9"))).toBe(`${FILE}\n10.0.0.9\n`);
  expect(must(withNodeAdded("10.0.0.1\n", "fd00::0:1"))).toBe("10.0.0.1\nfd00::1\n");
});

test("withNodeAdded() gives a node that was removed its number back", () => {
  const text = must(withNodeAdded(FILE, "10.0.0.3"));
  expect(text).toBe("10.0.0.1\n\n 10.0.0.2\t\r\n10.0.0.3\n10.0.0.4");
  expect(nodesOf(text)[2]).toEqual({
    pnn: 2,
    address: "10.0.0.3",
    deleted: false,
  });
});

test("withNodeAdded() refuses what is no address or is a node already", () => {
  expect(withNodeAdded(FILE, "10.0.0.300").ok).toBe(false);
  const again = withNodeAdded(FILE, "::ffff:10.0.0.4");
  expect(again).toEqual({ ok: false, error: "Cannot add node 10.0.0.4: it is node 3 already" });
});

test("withNodeRemoved() leaves a hole, so that later nodes keep their numbers", () => {
  const text = must(withNodeRemoved(FILE, 1));
  expect(text).toBe("10.0.0.1\n\n#10.0.0.2\n#10.0.0.3\n10.0.0.4");
  expect(nodesOf(text).map(({ deleted }) => deleted)).toEqual([false, true, true, false]);
});

test("withNodeRemoved() refuses holes, lines that are not there, and the last node", () => {
  expect(withNodeRemoved(FILE, 2).ok).toBe(false);
  expect(withNodeRemoved(FILE, 4).ok).toBe(false);
  expect(withNodeRemoved("#\n10.0.0.1\n", 1).ok).toBe(false);
});

test("lineDifferences() are by the number of the line", () => {
  expect(lineDifferences("a\nb\n", "a\nc\nd\n")).toEqual([
    { line: 2, before: "b", after: "c" },
    { line: 3, before: undefined, after: "d" },
  ]);
  expect(lineDifferences("a\n", "a")).toEqual([]);
});
