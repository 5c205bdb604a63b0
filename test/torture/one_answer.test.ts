/** Every control that changes what others meet, in every state that a node can be in: each is answered once. */
import { expect, test } from "bun:test";
import { ALONE, faults } from "../daemon/one_answer.ts";
import { STATES } from "../daemon/one_answer_scene.ts";

for (const state of STATES) {
  for (const name of ALONE) {
    test(`${state.name}: ${name} is answered once`, () => {
      expect(faults(state, [name], 0)).toEqual([]);
    });
  }
}
