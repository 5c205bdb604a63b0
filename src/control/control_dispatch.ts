/**
 * From an opcode and bytes to the handler and back, by the table of controls.
 *
 * Invariants:
 * 1. A handler sees only requests that decoded completely; sizes must match exactly, except for the
 *    few controls where the original ignores what is sent along or behind.
 * 2. Unknown, obsolete and unhandled controls answer −1 with a reason.
 * 3. Views in a request stay valid: the bytes were copied out of the packet.
 * 4. Every control is answered once, whatever its handler does (pending_replies.ts).
 */
import type { Result } from "../base/result.ts";
import { decodeExact, decodePadded, EMPTY } from "../wire/codec.ts";
import { CONTROL_NAMES, CONTROLS, type ControlName } from "../wire/controls.ts";
import {
  type ControlHandler,
  type ControlHandlers,
  type ControlReply,
  type ControlRequest,
  failure,
  joinHandlers,
  type ReplyLater,
} from "./control_request.ts";
import { PendingReplies } from "./pending_replies.ts";

interface Row {
  readonly name: ControlName;
  readonly ignoresData: boolean;
  readonly decode: (bytes: Uint8Array) => Result<unknown>;
  readonly handle: ControlHandler<unknown>;
}

export class ControlDispatch {
  readonly replies = new PendingReplies();
  readonly #rows: (Row | undefined)[] = [];

  constructor(maps: readonly ControlHandlers[]) {
    const handlers = joinHandlers(maps);
    for (const name of CONTROL_NAMES) {
      const handler = handlers[name];
      if (handler === undefined) continue;
      const { opcode, request, data } = CONTROLS[name];
      this.#rows[opcode] = {
        name,
        ignoresData: data === "ignored",
        decode:
          data === "surplus ignored"
            ? (bytes) => decodePadded<unknown>(request, bytes)
            : (bytes) => decodeExact<unknown>(request, bytes),
        // The row's codec decodes what the row's handler takes; the table ties both to the name.
        handle: handler as ControlHandler<unknown>,
      };
    }
  }

  get handled(): readonly ControlName[] {
    return this.#rows.flatMap((row) => (row === undefined ? [] : [row.name]));
  }

  dispatch(
    opcode: number,
    data: Uint8Array,
    from: ControlRequest,
    later: ReplyLater,
  ): ControlReply | "later" {
    const row = this.#rows[opcode];
    if (row === undefined) return failure(`control ${opcode} is not implemented`);
    const bytes = row.ignoresData || data.length === 0 ? EMPTY : data.slice();
    const request = row.decode(bytes);
    if (!request.ok) return failure(`control ${row.name}: malformed request: ${request.error}`);
    return this.replies.run((reply) => row.handle(request.value, from, reply), later);
  }
}
