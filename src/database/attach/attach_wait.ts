/**
 * Controls about a database that is being attached wait until it is: the node that announced it goes
 * on at once, and what it asks next comes on the same link, before the file is open and checked.
 *
 * Invariants:
 * 1. A control waits only while the attach runs, which ends by itself.
 * 2. What waits is the request as it was decoded: the dispatch has copied its bytes out of the packet.
 */
import type { ControlHandler, ControlHandlers } from "../../control/control_request.ts";
import { CONTROL_NAMES, CONTROLS, type ControlName } from "../../wire/controls.ts";
import type { AttachWaits } from "./attach.ts";

export function waitingForAttach(table: AttachWaits, controls: ControlHandlers): ControlHandlers {
  const waiting: Partial<Record<ControlName, ControlHandler<never>>> = {};
  for (const name of CONTROL_NAMES) {
    const handler = controls[name] as ControlHandler<unknown> | undefined;
    if (handler === undefined) continue;
    const isOfDatabase = CONTROLS[name].database !== "nowhere";
    waiting[name] = isOfDatabase ? waits(name, table, handler) : handler;
  }
  return waiting as ControlHandlers;
}

function waits(
  name: ControlName,
  table: AttachWaits,
  handler: ControlHandler<unknown>,
): ControlHandler<unknown> {
  return (request, from, later) => {
    const dbId = databaseOf(name, request);
    if (!table.isAttaching(dbId)) return handler(request, from, later);
    const accepted = table.afterAttaching(dbId, from.bytes, () => {
      const reply = handler(request, from, later);
      if (reply !== "later") later(reply);
    });
    return accepted ? "later" : handler(request, from, later);
  };
}

/** The row of the control says where its codec puts the id. */
function databaseOf(name: ControlName, request: unknown): number {
  if (CONTROLS[name].database === "request") return request as number;
  return (request as { readonly db_id: number }).db_id;
}
