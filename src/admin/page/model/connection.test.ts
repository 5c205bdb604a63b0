import { expect, test } from "bun:test";
import { type Connection, heard, isSilent, lost, reconnectMs } from "./connection.ts";
import { RECONNECT_MS_MAX, SILENCE_MS } from "./limits.ts";

test("lost() says since when nothing came, and counts", () => {
  const once = lost(heard(1000), null);
  expect(once).toEqual({ state: "lost", sinceMs: 1000, attempts: 1, reason: null });
  expect(lost(once, "503")).toEqual({ state: "lost", sinceMs: 1000, attempts: 2, reason: "503" });
  const never = { state: "lost", sinceMs: null, attempts: 1, reason: null } as const;
  expect(lost({ state: "connecting" }, null)).toEqual(never);
  expect(lost({ state: "locked" }, null)).toEqual({ state: "locked" });
});

test("reconnectMs() grows to its bound and never beyond", () => {
  let connection: Connection = lost(heard(0), null);
  const waits = [reconnectMs(connection)];
  for (let i = 0; i < 2000; i += 1) {
    connection = lost(connection, null);
    waits.push(reconnectMs(connection));
  }
  expect(waits.slice(0, 3)).toEqual([500, 1000, 2000]);
  expect(Math.max(...waits)).toBe(RECONNECT_MS_MAX);
});

test("isSilent() only of what was heard", () => {
  expect(isSilent(heard(0), SILENCE_MS)).toBe(false);
  expect(isSilent(heard(0), SILENCE_MS + 1)).toBe(true);
  expect(isSilent({ state: "locked" }, 1e9)).toBe(false);
});
