/** Documents of commands that look at the whole cluster, again and again. */
import * as v from "valibot";
import { type Facts, pnn } from "./facts.ts";

export const waitFacts = v.strictObject({
  condition: v.string(),
  holds: v.boolean(),
  waited_seconds: v.number(),
  /** What keeps it from holding; null when it holds. */
  missing: v.nullable(v.string()),
  /** As the asked node knows it; null where no daemon answered or it was not looked at. */
  seen: v.strictObject({
    node: v.nullable(pnn),
    nodes: v.nullable(v.array(v.strictObject({ pnn, address: v.string(), state: v.string() }))),
    leader: v.nullable(pnn),
    generation: v.nullable(v.number()),
    addresses: v.nullable(v.array(v.strictObject({ address: v.string(), node: v.nullable(pnn) }))),
  }),
});
export type WaitFacts = Facts<typeof waitFacts>;
export type Seen = WaitFacts["seen"];
