/** ctdb-event: gives the tool of services/tool/ this process, its files and a way to the event daemon. */
import { connectQuickly } from "#program";
import { EPIPE } from "../base/errno.ts";
import { err, type Result } from "../base/result.ts";
import { TracedTurns } from "../base/trace.ts";
import { resolvePaths } from "../config/paths.ts";
import { RuntimeTimers } from "../platform/node/runtime_timers.ts";
import { SystemScriptFiles } from "../platform/node/script_files.ts";
import type { Clock } from "../platform/types/time.ts";
import {
  connectEvents,
  type EventConnection,
  type EventConnector,
} from "../services/event_connection.ts";
import { runEventTool } from "../services/tool/event_tool.ts";
import type { EventToolHost } from "../services/tool/event_tool_host.ts";
import { Turns } from "../transport/turns.ts";
import type { EventReply, EventRequest } from "../wire/event_protocol.ts";
import { BufferedOutput, printErr } from "./buffered_output.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import type { Role } from "./role.ts";

export const role: Role = {
  async run(args) {
    const environment = ownEnvironment();
    const paths = resolvePaths(environment, ownExecutable().directory);
    if (!paths.ok) {
      printErr(`ctdb-event: ${paths.error}\n`);
      return 1;
    }
    const { etcDirectory, dataDirectory, eventSocket } = paths.value;
    const output = new BufferedOutput();
    const host: EventToolHost = {
      environment,
      etcDirectory,
      dataDirectory,
      files: new SystemScriptFiles(),
      ask: (request) => ask(eventSocket, request),
      out: (text) => output.out(text),
      err: (text) => output.err(text),
    };
    const status = await runEventTool(host, args);
    output.flush();
    process.exit(status & 0xff);
  },
};

/** Of turns, which nobody measures here. */
const clock: Clock = {
  monotonicMs: () => performance.now(),
  wallTime: () => ({ sec: Math.floor(Date.now() / 1000), usec: 0 }),
};

function ask(socket: string, request: EventRequest): Promise<Result<EventReply, number>> {
  const turns = new Turns(new TracedTurns(clock, () => undefined), new RuntimeTimers());
  const connector: EventConnector = {
    connectUnix: (path, connected) =>
      connectQuickly(path, connected, (again, then) => {
        // What the runtime cannot connect to, or only says that it could not.
        void ownNetwork().then((network) => network.connectUnix(again, then));
        return { cancel() {} };
      }),
  };
  return new Promise((resolve) => {
    const connected = (connection: Result<EventConnection, number>): void => {
      if (connection.ok) {
        connection.value.request(request, (reply) => resolve(reply.ok ? reply : err(EPIPE)));
      } else {
        resolve(connection);
      }
    };
    connectEvents(connector, turns, socket, connected, () => resolve(err(EPIPE)));
  });
}

async function ownNetwork() {
  const [{ EventLoop }, { LoopNetwork }] = await Promise.all([
    import("../platform/loop/event_loop.ts"),
    import("../platform/loop/network.ts"),
  ]);
  return new LoopNetwork(new EventLoop());
}
