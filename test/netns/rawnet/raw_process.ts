/** Raw packets from a namespace: "announce ADDRESS INTERFACE" or "tickle SOURCE:PORT DESTINATION:PORT". */
import { sendTickle } from "../../../src/failover/packets/tickle.ts";
import { EventLoop } from "../../../src/platform/loop/event_loop.ts";
import { LoopRawNetwork } from "../../../src/platform/loop/raw_network.ts";
import { parseConnection } from "../../../src/wire/structs/connection_text.ts";
import { must } from "../../support/must.ts";

const [what, first = "", second = ""] = process.argv.slice(2);
const network = new LoopRawNetwork(new EventLoop());
if (what === "announce") must(network.announceAddress(first, second));
else must(sendTickle(network, must(parseConnection(`${first} ${second}`))));
process.exit(0);
