/**
 * How a control reaches its handler, whoever sent it (a local client or another node).
 * The dispatch decodes by the table of controls in wire/, and answers what does not
 * decode with status −1; a handler sees typed requests only.
 */
import { assert } from "../base/assert.ts";
import type { U64 } from "../base/u64.ts";
import type { ControlName, ControlRequestOf } from "../wire/controls.ts";

export interface ControlRequest {
  /** The srvid field of the packet: register/deregister, tunnel ids, db ids of some controls. */
  readonly srvid: U64;
  readonly flags: number;
  /** pnn of the node it came from; our own for local clients. */
  readonly srcnode: number;
  /** Local client number, 0 when it came from another node or from the daemon itself. */
  readonly clientId: number;
  /** Generation of the vnn map of the node that sent it; undefined for a client's own. */
  readonly generation?: number | undefined;
  /** Length of its data: what a request that waits keeps in memory. */
  readonly bytes: number;
}

/** `data` is what the control's reply codec encoded; `error` is text for the sender's log. */
export interface ControlReply {
  readonly status: number;
  readonly data?: Uint8Array;
  readonly error?: string;
}

/** Answers later, once. Safe after the asker has gone. */
export type ReplyLater = (reply: ControlReply) => void;

/**
 * A handler returns its answer, or returns "later" and answers by `later`, which may also be inside the call. It
 * never waits.
 */
export type ControlHandler<Request> = (
  request: Request,
  from: ControlRequest,
  later: ReplyLater,
) => ControlReply | "later";

/**
 * The answer that one operation owes. When somebody else asks for the same in the meantime, the operation
 * answers the last who asked; the earlier one is told so.
 */
export class ReplySlot {
  #reply: ReplyLater | undefined;

  get waiting(): boolean {
    return this.#reply !== undefined;
  }

  hold(reply: ReplyLater): void {
    this.answer(failure("another request took the place of this one"));
    this.#reply = reply;
  }

  /** Nothing happens when nobody waits. */
  answer(reply: ControlReply): void {
    const waiting = this.#reply;
    this.#reply = undefined;
    waiting?.(reply);
  }
}

/** Handlers by name; each part of the daemon gives a map of those that are its own. */
export type ControlHandlers = {
  readonly [N in ControlName]?: ControlHandler<ControlRequestOf<N>>;
};

/** A control has one handler in all of the maps together: a second one would never run. */
export function joinHandlers(maps: readonly ControlHandlers[]): ControlHandlers {
  const joined: Partial<Record<ControlName, ControlHandler<never>>> = {};
  for (const map of maps) {
    for (const name of Object.keys(map) as ControlName[]) {
      assert(joined[name] === undefined, `control ${name} has one handler`);
      joined[name] = map[name] as ControlHandler<never>;
    }
  }
  return joined as ControlHandlers;
}

export const SUCCESS: ControlReply = { status: 0 };

export function failure(error: string, status = -1): ControlReply {
  return { status, error };
}
