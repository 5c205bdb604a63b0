import { expect, test } from "bun:test";
import { cellLevel, matrixOf, oneWayPairs } from "./matrix.ts";
import { readCluster } from "./read_cluster.ts";

/** `rows`: for each node what it says of each; `.` connected, `x` not, `?` nothing, `!` connected and banned. */
function matrixFrom(...rows: readonly string[]) {
  const cluster = readCluster({
    time: "2026-11-29T00:00:00Z",
    node: 0,
    nodes: rows.map((_, node) => ({ node, flags: [] })),
    views: rows.map((row, by) => ({
      by,
      sees: row.startsWith("?")
        ? null
        : [...row].map((sign, node) => ({
            node,
            connected: sign !== "x",
            flags: sign === "!" ? ["BANNED"] : [],
            heard_ms: 400,
          })),
    })),
  });
  if (cluster === undefined) throw new Error("expected a cluster");
  return matrixOf(cluster);
}

const kinds = (...rows: readonly string[]) =>
  matrixFrom(...rows).map(({ cells }) => cells.map(({ kind }) => kind).join(" "));

test("matrixOf() of nodes that all see each other", () => {
  expect(kinds("..", "..")).toEqual(["self sees", "sees self"]);
});

test("matrixOf() marks both cells of a link that goes one way", () => {
  const rows = matrixFrom("..", "x.");
  expect(rows.map(({ cells }) => cells.map(({ kind }) => kind))).toEqual([
    ["self", "one-way"],
    ["one-way", "self"],
  ]);
  expect(oneWayPairs(rows)).toEqual([[0, 1]]);
  expect(rows[0]?.cells[1]?.text).toContain(
    "node 0 is connected with node 1, which says that they are not",
  );
  expect(rows[1]?.cells[0]?.text).toContain("node 1 is not connected with node 0, which says");
});

test("matrixOf() concludes nothing from a node that says nothing", () => {
  expect(kinds(".x.", "???", "...")).toEqual([
    "self lost sees",
    "silent silent silent",
    "sees sees self",
  ]);
  expect(oneWayPairs(matrixFrom(".x.", "???", "..."))).toEqual([]);
});

test("a cell whose flags differ from what the answering node knows is a warning", () => {
  const [row] = matrixFrom(".!", "..");
  const cell = row?.cells[1];
  expect(cell?.differs).toBe(true);
  expect(cell?.text).toContain("takes it for banned");
  expect(cell === undefined ? "" : cellLevel(cell)).toBe("warning");
});
