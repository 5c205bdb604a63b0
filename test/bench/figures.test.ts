import { expect, test } from "bun:test";
import {
  kindsInTurn,
  median,
  type Row,
  ratio,
  renderTable,
  rowsAsJson,
  spread,
} from "./figures.ts";

const throughput: Row = {
  name: "messages",
  unit: "1/s",
  better: "higher",
  ours: [30_000, 29_000, 31_000],
  stock: [10_000, 10_500, 9_500],
};
const latency: Row = {
  name: "round trip",
  unit: "µs",
  better: "lower",
  ours: [50, 50, 50],
  stock: [100, 90, 110],
};

test("median() and spread() of rounds", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(spread([9, 10, 11])).toBe(0.1);
});

test("kindsInTurn() begins with the other kind each time", () => {
  expect([1, 2, 3].map((time) => kindsInTurn(time)[0])).toEqual(["ours", "stock", "ours"]);
});

test("ratio() above 1 always means that ours is better", () => {
  expect(ratio(throughput)).toBe(3);
  expect(ratio(latency)).toBe(2);
});

test("renderTable() shows medians with their spread", () => {
  expect(renderTable([throughput, latency])).toBe(
    [
      "figure      unit        ours       stock  ratio",
      "messages    1/s   30 000 ±3%  10 000 ±5%   3.00",
      "round trip  µs      50.0 ±0%    100 ±10%   2.00",
    ].join("\n"),
  );
});

test("renderTable() shows what one kind cannot tell as a dash", () => {
  const turns: Row = { ...latency, name: "turn", stock: [Number.NaN, Number.NaN, Number.NaN] };
  expect(renderTable([turns])).toBe(
    ["figure  unit      ours  stock  ratio", "turn    µs    50.0 ±0%      –      –"].join("\n"),
  );
});

test("rowsAsJson() has the medians and the rounds", () => {
  const parsed = JSON.parse(rowsAsJson([latency]));
  expect(parsed.rows[0]).toMatchObject({
    name: "round trip",
    unit: "µs",
    ours: 50,
    stock: 100,
    ratio: 2,
  });
});
