/** What became of a request, as the one number that is logged and reported: an errno, or a negative status. */
import { EMSGSIZE, EPIPE, ETIMEDOUT } from "../../base/errno.ts";
import type { ControlOutcome } from "../../client/types.ts";

/** 0 for success. Nodes answer the end of an event with its status, which the original sends as it is. */
export function requestStatus(outcome: ControlOutcome<unknown>): number {
  if (outcome.ok) return outcome.value.status;
  const { kind, status } = outcome.error;
  switch (kind) {
    case "refused":
      return status;
    case "timeout":
      return ETIMEDOUT;
    case "disconnected":
      return EPIPE;
    case "malformed":
      return EMSGSIZE;
  }
}

/** Whether the node itself answered, however. */
export function wasAnswered(outcome: ControlOutcome<unknown>): boolean {
  return outcome.ok || outcome.error.kind === "refused" || outcome.error.kind === "malformed";
}
