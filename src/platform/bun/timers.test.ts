import { timersContract } from "../../../test/contract/platform_timers.ts";
import { bunClock, bunRandom } from "./clock.ts";
import { bunTimers } from "./timers.ts";

timersContract("Bun", { clock: bunClock, timers: bunTimers, random: bunRandom });
