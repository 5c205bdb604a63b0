/**
 * Controls about a database that is being attached wait until it is: the node that announced it goes
 * on at once, and what it asks next comes on the same link, before the file is open and checked.
 *
 * Invariants:
 * 1. A control waits only while the attach runs, which ends by itself.
 * 2. What waits owns its bytes: a request is a view of the packet, which is gone by then.
 */
import type { ControlHandler, ControlHandlers } from "../transport/control_request.ts";
import { decodeExact, encode } from "../wire/codec.ts";
import { CONTROL_NAMES, CONTROLS, type ControlName } from "../wire/controls.ts";
import type { AfterAttaching, AttachTable } from "./attach.ts";

export function waitingForAttach(
  table: Pick<AttachTable, "isAttaching">,
  afterAttaching: AfterAttaching,
  controls: ControlHandlers,
): ControlHandlers {
  const waiting: Partial<Record<ControlName, ControlHandler<never>>> = {};
  for (const name of CONTROL_NAMES) {
    const handler = controls[name] as ControlHandler<unknown> | undefined;
    if (handler !== undefined) waiting[name] = waits(name, table, afterAttaching, handler);
  }
  return waiting as ControlHandlers;
}

function waits(
  name: ControlName,
  table: Pick<AttachTable, "isAttaching">,
  afterAttaching: AfterAttaching,
  handler: ControlHandler<unknown>,
): ControlHandler<unknown> {
  return (request, from, later) => {
    const dbId = databaseOf(request);
    if (dbId === undefined || !table.isAttaching(dbId)) return handler(request, from, later);
    const own = copyOf(name, request);
    const accepted = afterAttaching(dbId, () => {
      const reply = handler(own, from, later);
      if (reply !== "later") later(reply);
    });
    return accepted ? "later" : handler(request, from, later);
  };
}

function copyOf(name: ControlName, request: unknown): unknown {
  const codec = CONTROLS[name].request as Parameters<typeof decodeExact<unknown>>[0];
  const copy = decodeExact(codec, encode(codec, request));
  return copy.ok ? copy.value : request;
}

/** A request that is a number is a database's id; others name it as db_id, if they are about one. */
function databaseOf(request: unknown): number | undefined {
  if (typeof request === "number") return request;
  if (typeof request !== "object" || request === null || !("db_id" in request)) return undefined;
  return typeof request.db_id === "number" ? request.db_id : undefined;
}
