/** The event loop of a test program, for all that it uses: as in the product, there is one. */
import { EventLoop } from "../../src/platform/loop/event_loop.ts";

export const loop = new EventLoop();
