/** The list of connections that some commands read from standard input. */
import { bytesText } from "../base/byte_text.ts";
import { EINVAL, EIO } from "../base/errno.ts";
import { err, ok, type Result } from "../base/result.ts";
import { parseConnection, type WrittenConnection } from "../wire/structs/connection_text.ts";
import { CommandFailure } from "./failure.ts";
import type { ToolHost } from "./host.ts";

/** All of it is read before anything is done: a list with a wrong line changes nothing. */
export async function readConnections(host: ToolHost): Promise<readonly WrittenConnection[]> {
  const input = await host.readInput();
  if (!input.ok) throw new CommandFailure(EIO, `Cannot read standard input: ${input.error}`);
  const connections = parseConnections(bytesText(input.value));
  if (connections.ok) return connections.value;
  throw new CommandFailure(EINVAL, `Cannot use standard input: ${connections.error}`);
}

/** Empty lines and those that begin with # do not count. The reason names the first line that is wrong. */
function parseConnections(text: string): Result<readonly WrittenConnection[]> {
  const connections: WrittenConnection[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const connection = parseConnection(line);
    if (!connection.ok) return err(`line ${index + 1}: ${connection.error}`);
    connections.push(connection.value);
  }
  return ok(connections);
}
