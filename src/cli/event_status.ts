/**
 * Why the own node is unhealthy: what the last monitor event of the event daemon says, in one line for each
 * script that failed.
 *
 * Invariant: nobody waits long for it. It is more than was asked for, and an event daemon may hang.
 */
import { EINTR, EINVAL, ETIMEDOUT, errnoText } from "../base/errno.ts";
import { err, ok, type Result } from "../base/result.ts";
import { TracedTurns } from "../base/trace.ts";
import { connectEvents, EVENT_COMPONENT } from "../services/event_connection.ts";
import type { EventFailure } from "../services/event_runner.ts";
import { scriptFailures } from "../services/script_failures.ts";
import { Turns } from "../transport/turns.ts";
import type { EventReply } from "../wire/event_protocol.ts";
import type { ToolHost } from "./host.ts";

const GRACE_MS = 500;

/** Sentences about the node, or why they cannot be had. */
export async function whyUnhealthy(
  host: ToolHost,
  socket: string,
): Promise<Result<readonly string[]>> {
  const reply = await askMonitorStatus(host, socket);
  if (!reply.ok) return reply;
  const { result } = reply.value;
  if (result === EINVAL) return ok(["the monitor event has not run yet"]);
  if (reply.value.command !== "status" || reply.value.status === undefined) {
    return err(`the event daemon answered with error ${result}`);
  }
  const failed = scriptFailures(reply.value.status);
  return ok(
    failed.length === 0
      ? ["no script of the last monitor event has failed"]
      : failed.map(failureText),
  );
}

function askMonitorStatus(host: ToolHost, socket: string): Promise<Result<EventReply>> {
  // Nobody measures them here.
  const turns = new Turns(new TracedTurns(host.clock, () => undefined), host.timers);
  return new Promise((resolve) => {
    const connecting = connectEvents(
      host.network,
      turns,
      socket,
      (connection) => {
        if (!connection.ok) {
          end(err(`cannot connect to "${socket}": ${errnoText(connection.error)}`));
          return;
        }
        close = () => connection.value.close();
        const request = {
          command: "status",
          component: EVENT_COMPONENT,
          event: "monitor",
        } as const;
        connection.value.request(request, end);
      },
      (reason) => end(err(reason)),
    );
    let close = () => connecting.cancel();
    const end = (reply: Result<EventReply>) => {
      deadline.cancel();
      close();
      resolve(reply);
    };
    const deadline = host.timers.after(GRACE_MS, () => end(err("it has not answered")));
  });
}

export function failureText({ script, result, line, durationMs }: EventFailure): string {
  const duration = durationMs === undefined ? "" : ` after ${(durationMs / 1000).toFixed(3)} s`;
  const said = line === undefined ? "" : `: ${line}`;
  return `${script} ${resultText(result)}${duration}${said}`;
}

function resultText(result: number): string {
  if (result > 0) return `failed with status ${result}`;
  if (result === -ETIMEDOUT) return "timed out";
  if (result === -EINTR) return "was killed";
  return `could not be run (error ${-result})`;
}
