/** Which scripts of an event have failed, as the event daemon tells of them. */
import { ENOEXEC, ENOMSG } from "../base/errno.ts";
import type { EventStatus } from "../wire/event_protocol.ts";
import type { EventFailure } from "./event_runner.ts";
import { FAILURE_LINE_CHARACTERS_MAX } from "./limits.ts";

type ScriptStatus = EventStatus["scripts"][number];

/** In the order in which they ran. */
export function scriptFailures({ scripts }: EventStatus): readonly EventFailure[] {
  return scripts.filter(hasFailed).map(failureOf);
}

/** Disabled scripts, and those behind the one that failed, have not. */
function hasFailed({ result }: ScriptStatus): boolean {
  return result !== 0 && result !== -ENOEXEC && result !== -ENOMSG;
}

function failureOf({ name, begin, end, result, output }: ScriptStatus): EventFailure {
  const durationMs = (end.sec - begin.sec) * 1000 + (end.usec - begin.usec) / 1000;
  return {
    script: name ?? "?",
    result,
    line: tellingLine(output ?? ""),
    // The original knows no end of a script that it gave up.
    durationMs: durationMs >= 0 ? durationMs : undefined,
  };
}

/** The one that says what is wrong: scripts begin it with ERROR. Others end with it. */
function tellingLine(output: string): string | undefined {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const line = lines.find((each) => /^(ERROR|CRITICAL)/.test(each)) ?? lines.at(-1);
  return line?.slice(0, FAILURE_LINE_CHARACTERS_MAX);
}
