/**
 * Whether the page hears from the server: a state that changes with what happens, without a clock and a socket.
 *
 * Invariants:
 * 1. `live` is said only after something has come; `sinceMs` of a loss is when the last thing came, not when it was noticed.
 * 2. Each attempt after a failed one waits longer, up to RECONNECT_MS_MAX; what came resets that.
 */
import { RECONNECT_MS_MAX, RECONNECT_MS_MIN, SILENCE_MS } from "./limits.ts";

export type Connection =
  | { readonly state: "connecting" }
  | { readonly state: "live"; readonly heardMs: number }
  /** `sinceMs` null: nothing has ever come. `reason`: of a server that answers, but not what was asked. */
  | {
      readonly state: "lost";
      readonly sinceMs: number | null;
      readonly attempts: number;
      readonly reason: string | null;
    }
  /** The server wants a token. */
  | { readonly state: "locked" };

export function heard(nowMs: number): Connection {
  return { state: "live", heardMs: nowMs };
}

export function lost(before: Connection, reason: string | null): Connection {
  switch (before.state) {
    case "locked":
      return before;
    case "lost":
      return { ...before, attempts: before.attempts + 1, reason };
    case "live":
      return { state: "lost", sinceMs: before.heardMs, attempts: 1, reason };
    case "connecting":
      return { state: "lost", sinceMs: null, attempts: 1, reason };
    default:
      return before satisfies never;
  }
}

/** It may be that nobody is there any more: a broken path says nothing by itself. */
export function isSilent(connection: Connection, nowMs: number): boolean {
  return connection.state === "live" && nowMs - connection.heardMs > SILENCE_MS;
}

export function reconnectMs(connection: Connection): number {
  const attempts = connection.state === "lost" ? connection.attempts : 1;
  return Math.min(RECONNECT_MS_MIN * 2 ** Math.min(attempts - 1, 10), RECONNECT_MS_MAX);
}
