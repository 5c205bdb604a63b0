import { expect, test } from "bun:test";
import * as v from "valibot";
import { ACTIONS as SERVED } from "../../actions.ts";
import { ACTIONS, actionBody, actionsFor, targetsOf } from "./actions.ts";
import { readCluster } from "./read_cluster.ts";

const TYPED = { seconds: "300", node: "1", name: "RecoverTimeout", value: "60" };
const TARGETS = { node: { node: 2 }, address: { address: "192.0.2.10" }, cluster: {} };

test("the page offers every action that the API has, with a body that it takes", () => {
  expect(ACTIONS.map(({ name }): string => name).toSorted()).toEqual(
    SERVED.map(({ name }) => name).toSorted(),
  );
  for (const action of ACTIONS) {
    const read = actionBody(action, TYPED);
    const served = SERVED.find(({ name }) => name === action.name);
    if (served === undefined || "problem" in read)
      throw new Error(`expected a body of ${action.name}`);
    const body = { ...TARGETS[action.place], ...read.body };
    expect([action.name, v.safeParse(served.body, body).issues]).toEqual([action.name, undefined]);
  }
});

test("actionBody() names the field that is wrong", () => {
  const [ban] = ACTIONS.filter(({ name }) => name === "ban");
  if (ban === undefined) throw new Error("expected ban");
  expect(actionBody(ban, { seconds: "-1" })).toEqual({
    problem: 'Seconds: expected a number, got "-1"',
  });
  expect(actionBody(ban, {})).toHaveProperty("problem");
});

test("actionsFor() offers only what changes something", () => {
  const names = (flags: readonly string[]) => actionsFor("node", flags).map(({ name }) => name);
  expect(names([])).toEqual(["disable", "stop", "ban", "reload", "setvar"]);
  expect(names(["BANNED", "STOPPED", "DISABLED"])).toEqual([
    "enable",
    "continue",
    "unban",
    "reload",
    "setvar",
  ]);
});

test("targetsOf() are where an address may be and is not", () => {
  const addresses = [{ address: "a", node: 1, may_be_on: [0, 1, 2] }];
  const cluster = readCluster({ time: "2026-11-29T00:00:00Z", node: 0, addresses });
  expect(cluster === undefined ? [] : targetsOf(cluster, "a")).toEqual([0, 2]);
  expect(cluster === undefined ? [] : targetsOf(cluster, "b")).toEqual([]);
});
