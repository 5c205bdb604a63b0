/**
 * A client that is in the middle of updating persistent databases, says so with a line, and waits to be killed:
 * `bun run dying_client.ts SOCKET`.
 */
import { connectClient } from "../../../src/client/ctdb_client.ts";
import { EventLoop } from "../../../src/platform/loop/event_loop.ts";
import { LoopNetwork } from "../../../src/platform/loop/network.ts";
import { must } from "../../support/must.ts";

const loop = new EventLoop();
const client = must(
  await connectClient(new LoopNetwork(loop), loop, process.argv[2] as string, { timeoutMs: 5000 }),
);
must(await client.control("START_PERSISTENT_UPDATE", undefined));
process.stdout.write(`${process.pid}\n`);
