/** Times by chance: of many nodes that would do something at the same moment, one is the first. */
import type { Random } from "../platform/types/time.ts";

/** From 0 to `limitMs`, whole milliseconds. */
export function byChance(random: Random, limitMs: number): number {
  return Math.floor((limitMs * random.u32()) / 2 ** 32);
}
