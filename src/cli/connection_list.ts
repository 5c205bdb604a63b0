/** The list of connections that some commands read from standard input. */
import { bytesText } from "../base/byte_text.ts";
import { type Ends, parseConnections } from "./addresses.ts";
import { EINVAL, EIO } from "./errno.ts";
import { CommandFailure } from "./failure.ts";
import type { ToolHost } from "./host.ts";

/** All of it is read before anything is done: a list with a wrong line changes nothing. */
export async function readConnections(host: ToolHost): Promise<readonly Ends[]> {
  const input = await host.readInput();
  if (!input.ok) throw new CommandFailure(EIO, `Cannot read standard input: ${input.error}`);
  const connections = parseConnections(bytesText(input.value));
  if (connections.ok) return connections.value;
  throw new CommandFailure(EINVAL, `Cannot use standard input: ${connections.error}`);
}
