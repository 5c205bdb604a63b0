/** What tests need of the packet builders. */
import { OPERATIONS } from "../../src/wire/packet.ts";

export { buildReqCall, readReplyCall, readReplyError } from "../../src/wire/packets.ts";

/** Operations that answer a call. */
export const OPERATION_REPLIES: Record<number, "ok" | "error"> = {
  [OPERATIONS.REPLY_CALL]: "ok",
  [OPERATIONS.REPLY_ERROR]: "error",
};
