/**
 * Until when a coordinator may change nodes, as the recovery daemon that started it says on its standard input, each half
 * second: by the clock that all processes of this machine share, so that a word that was read late is late. A recovery
 * daemon of other people says nothing; then nothing is refused.
 */
import { bytesText, textBytes } from "../base/byte_text.ts";
import { type Fence, FencedClient } from "../client/fenced_client.ts";
import type { CtdbClient } from "../client/types.ts";
import type { EventLoop } from "../platform/loop/event_loop.ts";
import { drainPipe } from "../platform/loop/pipe_reader.ts";
import { BootClock } from "../platform/node/clock.ts";

/** Set for a coordinator that is told. */
export const FENCE_VARIABLE = "CTDB_HELPER_FENCE";
const STANDARD_INPUT = 0;

/** What a recovery daemon says, of which a coordinator that starts now may rely on its node's lead for so long. */
export function fenceLine(mayActMs: number): Uint8Array {
  const untilMs = mayActMs > 0 ? new BootClock().monotonicMs() + mayActMs : 0;
  return textBytes(`${Math.floor(untilMs)}\n`);
}

/** `refused`: a step was not taken, and none is from then on. */
export function fenced(
  client: CtdbClient,
  loop: EventLoop,
  environment: Readonly<Record<string, string | undefined>>,
  refused: (what: string) => void,
): CtdbClient {
  if (environment[FENCE_VARIABLE] === undefined) return client;
  const clock = new BootClock();
  let untilMs = 0;
  let line = "";
  drainPipe(
    loop,
    STANDARD_INPUT,
    (chunk) => {
      const lines = (line + bytesText(chunk)).split("\n");
      line = lines.pop() ?? "";
      untilMs = Number(lines.at(-1) ?? untilMs);
    },
    () => refused("the recovery daemon that started it has ended"),
  );
  const fence: Fence = {
    mayAct: () => clock.monotonicMs() < untilMs,
    refused: (control) =>
      refused(`${control} not sent: the recovery daemon does not say that this node still leads`),
  };
  return new FencedClient(client, fence);
}
