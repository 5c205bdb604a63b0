/**
 * Before a node goes it asks for a takeover run, so that what it hosts moves in order, and waits for its
 * end, but not for ever: there may be nobody to do it.
 */
import type { Logger } from "../../base/log.ts";
import { type U64, u64 } from "../../base/u64.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { decodePadded, encode, i32Codec } from "../../wire/codec.ts";
import { SRVID } from "../../wire/constants.ts";
import { BROADCAST_CONNECTED } from "../../wire/packet.ts";
import { srvidMessage } from "../../wire/structs/cluster.ts";
import type { MessageRouter } from "../routing/message_router.ts";

export interface ShutdownTakeoverParts {
  readonly pnn: number;
  readonly messages: MessageRouter;
  readonly timers: Timers;
  readonly log: Logger;
  /** 0: no takeover run is asked for. */
  readonly failoverTimeoutSec: number;
  /** Waited after a takeover run that succeeded. */
  readonly extraTimeoutSec: number;
}

/** srvids of daemons: the range 0x9E, then 24 bits of the pnn. */
function replySrvid(pnn: number): U64 {
  return u64((0x9e << 24) | (pnn & 0xffffff), 0);
}

export function takeoverBeforeShutdown(parts: ShutdownTakeoverParts, then: () => void): void {
  const { pnn, messages, timers, log, failoverTimeoutSec, extraTimeoutSec } = parts;
  if (failoverTimeoutSec <= 0) {
    then();
    return;
  }
  const srvid = replySrvid(pnn);
  let timeout: Timer | undefined;
  const end = (completed: boolean) => {
    timeout?.cancel();
    timeout = undefined;
    removeListener();
    if (!completed || extraTimeoutSec <= 0) return then();
    log.notice(`Waiting ${extraTimeoutSec}s for shutdown extra timeout`);
    timers.after(extraTimeoutSec * 1000, then);
  };
  const removeListener = messages.listen(srvid, (data) => {
    if (timeout === undefined) return;
    const result = decodePadded(i32Codec, data);
    if (!result.ok) return;
    if (result.value < 0) log.warning("Takeover run failed");
    else log.notice(`Takeover run successful by node=${result.value}`);
    end(true);
  });
  timeout = timers.after(failoverTimeoutSec * 1000, () => {
    log.warning("Timed out waiting for takeover run");
    end(false);
  });
  messages.send(BROADCAST_CONNECTED, SRVID.TAKEOVER_RUN, encode(srvidMessage, { pnn, srvid }));
}
