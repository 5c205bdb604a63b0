/** Who wins an election by message. */
import { NODE_FLAGS_INACTIVE } from "../wire/constants.ts";
import type { ElectionMessage } from "../wire/structs/cluster.ts";

/**
 * Does `mine` win over `other`? Inactive nodes lose, then the earlier priority time wins, then the
 * higher pnn. The number of connected nodes is on the wire and never compared.
 */
export function beats(mine: ElectionMessage, other: ElectionMessage): boolean {
  if ((mine.node_flags & NODE_FLAGS_INACTIVE) !== 0) return false;
  if ((other.node_flags & NODE_FLAGS_INACTIVE) !== 0) return true;
  const seconds = other.priority_time.sec - mine.priority_time.sec;
  if (seconds !== 0) return seconds > 0;
  const micros = other.priority_time.usec - mine.priority_time.usec;
  if (micros !== 0) return micros > 0;
  return mine.pnn > other.pnn;
}
