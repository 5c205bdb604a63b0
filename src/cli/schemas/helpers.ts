/** Documents of commands that are programs of their own: NAT gateway and LVS; those of the event tool are its own. */
import * as v from "valibot";
import { address, pnn } from "./facts.ts";

const groupStatus = v.strictObject({
  nodes: v.array(
    v.strictObject({ pnn, address, states: v.array(v.string()), this_node: v.boolean() }),
  ),
});

/** `leader`, `list`, `status`. */
export const natgwFacts = v.union([
  v.strictObject({
    /** null: no node can be. */
    leader: v.nullable(v.strictObject({ pnn, address })),
  }),
  v.strictObject({
    group: v.array(v.strictObject({ address, leader: v.boolean(), follower_only: v.boolean() })),
  }),
  groupStatus,
]);
export const lvsFacts = v.union([
  v.strictObject({
    /** null: no node can be. */
    leader: v.nullable(pnn),
  }),
  v.strictObject({ usable: v.array(v.strictObject({ pnn, address })) }),
  groupStatus,
]);
