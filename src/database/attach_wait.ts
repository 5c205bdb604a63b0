/**
 * Controls about a database that is being attached wait until it is: the node that announced it goes
 * on at once, and what it asks next comes on the same link, before the file is open and checked.
 *
 * Invariants:
 * 1. A control waits only while the attach runs, which ends by itself.
 * 2. What waits owns its bytes: a request is a view of the packet, which is gone by then.
 */
import { assert } from "../base/assert.ts";
import type { ControlHandler, ControlHandlers } from "../transport/control_request.ts";
import { decodeExact, encode } from "../wire/codec.ts";
import { CONTROL_NAMES, CONTROLS, type ControlName } from "../wire/controls.ts";
import type { AttachWaits } from "./attach.ts";

export function waitingForAttach(table: AttachWaits, controls: ControlHandlers): ControlHandlers {
  const waiting: Partial<Record<ControlName, ControlHandler<never>>> = {};
  for (const name of CONTROL_NAMES) {
    const handler = controls[name] as ControlHandler<unknown> | undefined;
    if (handler !== undefined) waiting[name] = waits(name, table, handler);
  }
  return waiting as ControlHandlers;
}

function waits(
  name: ControlName,
  table: AttachWaits,
  handler: ControlHandler<unknown>,
): ControlHandler<unknown> {
  return (request, from, later) => {
    const dbId = databaseOf(request);
    if (dbId === undefined || !table.isAttaching(dbId)) return handler(request, from, later);
    const codec = CONTROLS[name].request as Parameters<typeof decodeExact<unknown>>[0];
    const bytes = encode(codec, request);
    const accepted = table.afterAttaching(dbId, bytes.length, () => {
      const own = decodeExact(codec, bytes);
      assert(own.ok, "what was encoded here decodes");
      const reply = handler(own.value, from, later);
      if (reply !== "later") later(reply);
    });
    return accepted ? "later" : handler(request, from, later);
  };
}

/** A request that is a number is a database's id; others name it as db_id, if they are about one. */
function databaseOf(request: unknown): number | undefined {
  if (typeof request === "number") return request;
  if (typeof request !== "object" || request === null || !("db_id" in request)) return undefined;
  return typeof request.db_id === "number" ? request.db_id : undefined;
}
