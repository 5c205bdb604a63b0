import { eventRunnerContract } from "../../test/contract/event_runner.ts";
import { silentLogger } from "../base/log.ts";
import { NoEvents } from "./no_events.ts";

eventRunnerContract("NoEvents", (timers) => new NoEvents(silentLogger, timers));
