/**
 * Controls from clients of the node and of another node, at the same moment, in every state that a node can be
 * in: each is answered once. Those that change what others meet have a node each, in test/torture/one_answer.test.ts.
 */
import { expect, test } from "bun:test";
import { CONTROL_NOREPLY } from "../../src/wire/controls.ts";
import { faults, TOGETHER } from "./one_answer.ts";
import { BOUND_MS, Scene, STATES, VOLATILE } from "./one_answer_scene.ts";

for (const state of STATES) {
  test(`${state.name}: every control is answered once`, () => {
    expect(faults(state, TOGETHER, 0)).toEqual([]);
  });
  test(`${state.name}: a control that wants no answer gets none`, () => {
    expect(faults(state, TOGETHER, CONTROL_NOREPLY)).toEqual([]);
  });
}

test("a node that ends answers its clients what it owes them", () => {
  const scene = new Scene();
  const client = scene.node.client(501);
  const waiting = client.sendControl("DB_ATTACH", VOLATILE);
  scene.world.settle();
  expect(client.reply(waiting)).toBeUndefined();
  scene.node.daemon.shutdown(0, "test");
  scene.world.run(BOUND_MS * 2);
  expect(client.closed).toBe(true);
  expect(client.reply(waiting)?.status).toBe(-1);
});
