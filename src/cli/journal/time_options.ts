/** The tool's options that are times, as documents have them. */

import { rfc3339Text } from "../../base/rfc3339.ts";
import type { OfflineContext } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { parseTime } from "./time_argument.ts";

/** undefined when it was not given. */
export function timeOption(
  { host, options }: OfflineContext,
  name: "at" | "since" | "until",
): string | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const time = parseTime(text, nowUs({ host }));
  if (!time.ok) throw new CommandFailure(1, time.error, "usage");
  return rfc3339Text(time.value);
}

export function nowUs({ host }: Pick<OfflineContext, "host">): number {
  const { sec, usec } = host.clock.wallTime();
  return sec * 1_000_000 + usec;
}
