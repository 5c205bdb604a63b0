/** How long turns of this node's event loop took, for the answer to PING_TURNS. */
import type { TracedTurns } from "../../base/trace.ts";
import { type NodeTurns, TURNS_MAGIC } from "../../wire/structs/cluster.ts";

const U32_MAX = 0xffffffff;

export function turnsOf({ longestMs, histogram }: TracedTurns): NodeTurns {
  return {
    magic: TURNS_MAGIC,
    longest_us: Math.min(Math.round(longestMs * 1000), U32_MAX),
    buckets: histogram.map((count) => count >>> 0),
  };
}
