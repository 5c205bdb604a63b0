/**
 * Controls about a database that is being attached wait until it is: the node that announced it goes
 * on at once, and what it asks next comes on the same link, before the file is open and checked.
 *
 * Invariant: a control waits only while the attach runs, which ends by itself.
 */
import type { ControlHandler, ControlHandlers } from "../transport/control_request.ts";
import type { AttachTable } from "./attach.ts";

export function waitingForAttach(table: AttachTable, controls: ControlHandlers): ControlHandlers {
  const waiting = Object.entries(controls).map(([name, handler]) => [
    name,
    // The row's own type: it is handed through, not looked into.
    waits(table, handler as ControlHandler<unknown>),
  ]);
  return Object.fromEntries(waiting) as ControlHandlers;
}

function waits(table: AttachTable, handler: ControlHandler<unknown>): ControlHandler<unknown> {
  return (request, from, later) => {
    const dbId = databaseOf(request);
    if (dbId === undefined || !table.isAttaching(dbId)) return handler(request, from, later);
    table.whenAttached(dbId, () => {
      const reply = handler(request, from, later);
      if (reply !== "later") later(reply);
    });
    return "later";
  };
}

/** A request that is a number is a database's id; others name it as db_id, if they are about one. */
function databaseOf(request: unknown): number | undefined {
  if (typeof request === "number") return request;
  if (typeof request !== "object" || request === null || !("db_id" in request)) return undefined;
  return typeof request.db_id === "number" ? request.db_id : undefined;
}
