import { expect, test } from "bun:test";
import { NODE_FLAGS } from "../wire/constants.ts";
import { nodesDifference } from "./nodes_difference.ts";

/** "abc": node 0 has address a …; # is a deleted line. */
function list(letters: string) {
  return [...letters].map((letter, pnn) => ({
    pnn,
    flags: letter === "#" ? NODE_FLAGS.DELETED : NODE_FLAGS.DISCONNECTED,
    addr: { address: letter === "#" ? "0.0.0.0" : letter, port: 4379 },
  }));
}
const differ = (ours: string, theirs: string) =>
  nodesDifference(list(ours) as never, list(theirs) as never) !== undefined;

test("nodesDifference() finds a number with two addresses, and an address with two numbers", () => {
  for (const theirs of ["bac", "xabc", "ac", "acb", "#abc", "a#cb", "#ab"]) {
    expect([theirs, differ("abc", theirs), differ(theirs, "abc")]).toEqual([theirs, true, true]);
  }
});

test("nodesDifference() accepts what a rolling reload of the nodes file makes for a while", () => {
  for (const theirs of ["abc", "abcd", "ab", "a#c", "#bc", "ab#", "a#cd"]) {
    expect([theirs, differ("abc", theirs), differ(theirs, "abc")]).toEqual([theirs, false, false]);
  }
});
