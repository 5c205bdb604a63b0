/** A session with the own node's daemon: the one way in which commands get it. */
import { errnoOf } from "../base/errno.ts";
import { ok, type Result } from "../base/result.ts";
import { connectClient } from "../client/ctdb_client.ts";
import type { ClientFailure } from "../client/types.ts";
import { CommandFailure } from "./failure.ts";
import type { ToolHost } from "./host.ts";
import type { ToolOptions } from "./options.ts";
import { Session } from "./session.ts";
import { toolPaths } from "./tool_paths.ts";

/** Nothing is said when it cannot be had. `timeoutMs`: of the connection, that of the client library by default. */
export async function trySession(
  host: ToolHost,
  { timelimit }: Pick<ToolOptions, "timelimit">,
  timeoutMs?: number,
): Promise<Result<Session, ClientFailure>> {
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  const connected = await connectClient(host.network, host.timers, toolPaths(host).socket, limit);
  if (!connected.ok) return connected;
  return ok(new Session(connected.value, host, { timelimit, pid: host.pid }));
}

/** Says why not, in the original tool's words, before it ends the command. */
export async function openSession(host: ToolHost, options: ToolOptions): Promise<Session> {
  const opened = await trySession(host, options);
  if (opened.ok) return opened.value;
  const { cause } = opened.error;
  if (cause !== undefined) host.err(`connect() failed, errno=${errnoOf(cause)}\n`);
  host.err(`Failed to connect to CTDB daemon (${toolPaths(host).socket})\n`);
  const { readNodes } = await import("./nodes_file.ts");
  const nodes = await readNodes(host);
  if (nodes !== undefined) {
    for (const node of nodes) {
      if (!node.deleted && (await host.hasAddress(node.address))) throw noDaemon();
    }
    host.err("Failed to detect PNN of the current node.\n");
  }
  throw noDaemon("Is this node part of CTDB cluster?");
}

function noDaemon(message = ""): CommandFailure {
  return new CommandFailure(1, message, "no daemon");
}

/** What is still asked is answered first. */
export async function endSession(session: Session): Promise<void> {
  await session.client.settled();
  session.client.close();
}

/** For commands that need a daemon in some of their forms only. */
export async function withSession<T>(
  host: ToolHost,
  options: ToolOptions,
  action: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(host, options);
  try {
    return await action(session);
  } finally {
    await endSession(session);
  }
}
