/** Which nodes of a local cluster somebody means: "all", a number, a range FIRST-LAST, or a list of these. */
import { parseWhole } from "../base/c_number.ts";
import { err, ok, type Result } from "../base/result.ts";

/** In the order in which they are named; one that is named twice is there twice. */
export function nodesOfSpecification(
  specification: string,
  pnns: readonly number[],
): Result<readonly number[]> {
  const named: number[] = [];
  for (const word of specification.split(",")) {
    if (word === "all") {
      named.push(...pnns);
      continue;
    }
    const [first = "", last = first, more] = word.split("-");
    const [from, to] = [first, last].map((text) => parseWhole(text, pnns.length - 1));
    if (from === undefined || to === undefined || more !== undefined) {
      return err(
        `expected all, a node from 0 to ${pnns.length - 1}, a range or a list of them, got "${word}"`,
      );
    }
    for (let pnn = from; pnn <= to; pnn++) named.push(pnn);
  }
  return ok(named);
}
