/** What `ctdb-event status` prints of the scripts of an event: texts and widths as the original has them. */
import { ENOEXEC, ENOMSG, ETIMEDOUT, errnoText } from "../../base/errno.ts";
import type { Timeval } from "../../platform/types/time.ts";
import type { EventStatus } from "../../wire/event_protocol.ts";

type ScriptStatus = EventStatus["scripts"][number];

const NAME_WIDTH = 20;
const STATE_WIDTH = 10;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

export function statusText(status: EventStatus): string {
  return lastRun(status).map(scriptText).join("");
}

/** The scripts of the last run, as far as it came. */
export function lastRun({ scripts }: EventStatus): readonly ScriptStatus[] {
  const shown: ScriptStatus[] = [];
  let previous: Timeval = { sec: 0, usec: 0 };
  for (const script of scripts) {
    // It is new, and one before it has failed.
    if (script.result === -ENOMSG) continue;
    // From here on the results are of an earlier run, in which the scripts before did not fail.
    if (isBefore(script.begin, previous)) break;
    shown.push(script);
    previous = script.begin;
  }
  return shown;
}

function scriptText(script: ScriptStatus): string {
  const { result, output } = script;
  const text = `${headText(script)}\n`;
  const isFailure = result !== 0 && result !== -ENOEXEC;
  // That a script failed without a word is worth knowing.
  return isFailure || output !== undefined ? text + outputText(output ?? "") : text;
}

function headText({ name, begin, end, result }: ScriptStatus): string {
  const head = (state: string) => `${(name ?? "").padEnd(NAME_WIDTH)} ${state.padEnd(STATE_WIDTH)}`;
  if (result === -ETIMEDOUT) return `${head("TIMEDOUT")} ${timeText(begin)}`;
  if (result === -ENOEXEC) return head("DISABLED");
  if (result < 0) return `${head("CANNOT RUN")} (${errnoText(-result)})`;
  const seconds = end.sec - begin.sec + (end.usec - begin.usec) * 1e-6;
  return `${head(result === 0 ? "OK" : "ERROR")} ${seconds.toFixed(3)} ${timeText(begin)}`;
}

function outputText(output: string): string {
  const lines = output.replace(/\n+$/, "").split("\n");
  if (lines.length === 1) return `  OUTPUT: ${lines[0]}\n`;
  return `  OUTPUT:\n${lines.map((line) => `    ${line}\n`).join("")}`;
}

/** As ctime() of the C library. */
function timeText({ sec }: Timeval): string {
  const time = new Date(sec * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${DAYS[time.getDay()]} ${MONTHS[time.getMonth()]} ${String(time.getDate()).padStart(2)}`;
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  return `${day} ${clock} ${time.getFullYear()}`;
}

function isBefore(one: Timeval, other: Timeval): boolean {
  return one.sec < other.sec || (one.sec === other.sec && one.usec < other.usec);
}
