/**
 * Why the own node is unhealthy: what the last monitor event of the event daemon says, in one line for each
 * script that failed.
 *
 * Invariant: nobody waits long for it. It is more than was asked for, and an event daemon may hang.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { StreamHandlers } from "../platform/types/network.ts";
import { PacketFramer } from "../transport/framer.ts";
import {
  decodeEventReply,
  type EventReply,
  type EventStatus,
  encodeEventRequest,
} from "../wire/event_protocol.ts";
import { EINTR, EINVAL, ENOEXEC, ENOMSG, ETIMEDOUT } from "./errno.ts";
import type { ToolHost } from "./host.ts";

const GRACE_MS = 500;
const REPLY_BYTES_MAX = 16 * 1024 * 1024;
const LINE_CHARACTERS_MAX = 300;
const REQUEST_ID = 1;

type ScriptStatus = EventStatus["scripts"][number];

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
  const failed = reply.value.status.scripts.filter(hasFailed);
  return ok(
    failed.length === 0
      ? ["no script of the last monitor event has failed"]
      : failed.map(failureText),
  );
}

function askMonitorStatus(host: ToolHost, socket: string): Promise<Result<EventReply>> {
  return new Promise((resolve) => {
    const connecting = host.network.connectUnix(socket, (outcome) => {
      if (!outcome.ok) {
        end(err(outcome.error.message));
        return undefined;
      }
      const stream = outcome.value;
      close = () => stream.close();
      host.timers.soon(() => {
        const request = { command: "status", component: "legacy", event: "monitor" } as const;
        // It is smaller than any buffer of a socket.
        stream.write(encodeEventRequest(REQUEST_ID, request));
      });
      return replyHandlers(end);
    });
    let close = () => connecting.cancel();
    const end = (reply: Result<EventReply>) => {
      deadline.cancel();
      close();
      resolve(reply);
    };
    const deadline = host.timers.after(GRACE_MS, () => end(err("it has not answered")));
  });
}

function replyHandlers(end: (reply: Result<EventReply>) => void): StreamHandlers {
  const framer = new PacketFramer("event", REPLY_BYTES_MAX);
  return {
    onData(chunk) {
      framer.push(chunk);
      const packet = framer.next();
      const reply = packet === undefined ? undefined : decodeEventReply(packet.bytes());
      if (framer.error !== undefined) end(err(framer.error));
      else if (reply !== undefined) end(reply.ok ? ok(reply.value.body) : reply);
      framer.hold();
    },
    onDrain() {},
    onClose: (reason) => end(err(reason?.message ?? "it has closed the connection")),
  };
}

/** Disabled scripts, and those behind the one that failed, have not. */
function hasFailed({ result }: ScriptStatus): boolean {
  return result !== 0 && result !== -ENOEXEC && result !== -ENOMSG;
}

export function failureText({ name, begin, end, result, output }: ScriptStatus): string {
  const seconds = end.sec - begin.sec + (end.usec - begin.usec) * 1e-6;
  // Of a script that was given up there is no end.
  const duration = seconds >= 0 ? ` after ${seconds.toFixed(3)} s` : "";
  const line = outputLine(output ?? "");
  return `${name ?? ""} ${resultText(result)}${duration}${line === "" ? "" : `: ${line}`}`;
}

function resultText(result: number): string {
  if (result > 0) return `failed with status ${result}`;
  if (result === -ETIMEDOUT) return "timed out";
  if (result === -EINTR) return "was killed";
  return `could not be run (error ${-result})`;
}

/** The one that says what is wrong: scripts begin it with ERROR. Others end with it. */
function outputLine(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const line = lines.find((each) => /^(ERROR|CRITICAL)/.test(each)) ?? lines.at(-1) ?? "";
  return line.slice(0, LINE_CHARACTERS_MAX);
}
