import { expect, test } from "bun:test";
import { nodesOfSpecification } from "./node_specification.ts";

test("nodesOfSpecification() takes numbers, ranges, lists and all, in their order", () => {
  const pnns = [0, 1, 2, 3];
  const named = (text: string) => {
    const outcome = nodesOfSpecification(text, pnns);
    return outcome.ok ? outcome.value : outcome.error;
  };
  expect(named("all")).toEqual(pnns);
  expect(named("2,0-1,2")).toEqual([2, 0, 1, 2]);
  expect(named("3-1")).toEqual([]);
  for (const wrong of ["4", "0-4", "", "1,", "0-1-2", "ok", "-1"]) {
    expect(named(wrong)).toContain("expected all, a node from 0 to 3");
  }
});
