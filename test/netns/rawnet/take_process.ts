/**
 * "take ADDRESS INTERFACE" in a namespace: what a node does after a take. Prints what it logs, and ends by itself when
 * nothing is left to do: a socket that stayed open would keep it.
 */
import type { Logger } from "../../../src/base/log.ts";
import { Announcer } from "../../../src/failover/addresses/announcer.ts";
import { EventLoop } from "../../../src/platform/loop/event_loop.ts";
import { LoopRawNetwork } from "../../../src/platform/loop/raw_network.ts";

const [address = "", interfaceName = ""] = process.argv.slice(2);
const loop = new EventLoop();
const say = (message: string) => {
  process.stdout.write(`${message}\n`);
  // One is enough; not inside the call.
  loop.soon(() => announcer.close());
  loop.soon(() => taken?.cancel());
};
const log: Logger = { error: say, warning: say, notice: say, info: say, debug: say };
const announcer = new Announcer(new LoopRawNetwork(loop), loop, log);
const taken = announcer.taken(address, () => interfaceName, []);
