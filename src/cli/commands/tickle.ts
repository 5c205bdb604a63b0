/**
 * `ctdb tickle`: a segment of a connection of somebody else, which makes its end look whether the
 * connection still stands. It goes to the first address, as if it came from the second.
 */
import type { SystemError } from "../../base/errors.ts";
import type { Result } from "../../base/result.ts";
import { sendTickle } from "../../failover/packets/tickle.ts";
import type { RawNetwork } from "../../platform/types/raw_network.ts";
import type { WrittenConnection } from "../../wire/structs/connection_text.ts";
import type { Endpoint } from "../../wire/structs/socket_address.ts";
import { expectEndpoint } from "../addresses.ts";
import type { OfflineCommand } from "../command.ts";
import { readConnections } from "../connection_list.ts";
import { CommandFailure, WrongArguments } from "../failure.ts";
import type { ToolHost } from "../host.ts";

/** A network that takes no more has room again soon, or is broken. */
const BUSY_PAUSE_MS = 1;
const BUSY_PAUSES_MAX = 2000;

export const tickle: OfflineCommand = async ({ host }, args) => {
  if (args.length !== 0 && args.length !== 2) throw new WrongArguments();
  if (args.length === 0) return await tickleAll(host, await readConnections(host));
  const [src, dst] = args.map(expectEndpoint) as [Endpoint, Endpoint];
  const sent = await send(host, await rawNetwork(host), { src, dst });
  if (sent.ok) return 0;
  throw new CommandFailure(1, `Failed to send tickle ack: ${sent.error.message}`);
};

async function tickleAll(
  host: ToolHost,
  connections: readonly WrittenConnection[],
): Promise<number> {
  if (connections.length === 0) return 0;
  const network = await rawNetwork(host);
  let failures = 0;
  for (const each of connections) if (!(await send(host, network, each)).ok) failures += 1;
  if (failures === 0) return 0;
  throw new CommandFailure(1, `Failed to send ${failures} tickles`);
}

/** The end that is to answer stands first on the command line and in lists. */
async function send(
  host: ToolHost,
  network: RawNetwork,
  { src: to, dst: from }: WrittenConnection,
): Promise<Result<void, SystemError>> {
  for (let left = BUSY_PAUSES_MAX; ; left--) {
    const sent = sendTickle(network, { src: from, dst: to });
    const busy = !sent.ok && (sent.error.code === "EAGAIN" || sent.error.code === "ENOBUFS");
    if (!busy || left === 0) return sent;
    await new Promise<void>((resolve) => {
      host.timers.after(BUSY_PAUSE_MS, resolve);
    });
  }
}

async function rawNetwork(host: ToolHost): Promise<RawNetwork> {
  const network = await host.rawNetwork();
  if (network.ok) return network.value;
  throw new CommandFailure(1, `Failed to send tickle ack: ${network.error}`);
}
