/** How the scripts of an event ended, and which have failed, as the event daemon tells of them. */
import { ENOEXEC, ENOMSG } from "../base/errno.ts";
import type { EventStatus } from "../wire/event_protocol.ts";
import type { EventName } from "../wire/events.ts";
import type { EventFailure, ScriptRun } from "./event_runner.ts";
import { FAILURE_LINE_CHARACTERS_MAX } from "./limits.ts";

type ScriptStatus = EventStatus["scripts"][number];

/** In the order in which they ran. */
export function scriptFailures({ scripts }: EventStatus): readonly EventFailure[] {
  return scripts.filter(hasFailed).map(failureOf);
}

/** Those that ran, in their order. */
export function scriptRuns(event: EventName, { scripts }: EventStatus): readonly ScriptRun[] {
  return scripts.filter(hasRun).map((script) => {
    const { name, begin, end, result } = script;
    const durationMs = durationOf(script);
    const hasEnd = durationMs !== undefined && begin.sec > 0;
    const endedUs = hasEnd ? end.sec * 1_000_000 + end.usec : 0;
    return { event, script: name ?? "?", result, durationMs, endedUs };
  });
}

/** Disabled scripts, and those behind the one that failed, have not. */
function hasFailed(script: ScriptStatus): boolean {
  return script.result !== 0 && hasRun(script);
}

function hasRun({ result }: ScriptStatus): boolean {
  return result !== -ENOEXEC && result !== -ENOMSG;
}

function failureOf(script: ScriptStatus): EventFailure {
  const { name, result, output } = script;
  const line = tellingLine(output ?? "");
  return { script: name ?? "?", result, line, durationMs: durationOf(script) };
}

/** The original knows no end of a script that it gave up. */
function durationOf({ begin, end }: ScriptStatus): number | undefined {
  const durationMs = (end.sec - begin.sec) * 1000 + (end.usec - begin.usec) / 1000;
  return durationMs >= 0 ? durationMs : undefined;
}

/** The one that says what is wrong: scripts begin it with ERROR. Others end with it. */
function tellingLine(output: string): string | undefined {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const line = lines.find((each) => /^(ERROR|CRITICAL)/.test(each)) ?? lines.at(-1);
  return line?.slice(0, FAILURE_LINE_CHARACTERS_MAX);
}
