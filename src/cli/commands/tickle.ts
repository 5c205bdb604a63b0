/**
 * `ctdb tickle`: a segment of a connection of somebody else, which makes its end look whether the
 * connection still stands. It goes to the first address, as if it came from the second.
 */
import { done, err, type Result } from "../../base/result.ts";
import { sendTickle, tcpEnd } from "../../failover/packets/tickle.ts";
import type { RawNetwork } from "../../platform/types/raw_network.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import { type Ends, expectAddressWithPort } from "../addresses.ts";
import type { OfflineCommand } from "../command.ts";
import { readConnections } from "../connection_list.ts";
import { CommandFailure, WrongArguments } from "../failure.ts";
import type { ToolHost } from "../host.ts";

export const tickle: OfflineCommand = async ({ host }, args) => {
  if (args.length !== 0 && args.length !== 2) throw new WrongArguments();
  if (args.length === 0) return await tickleAll(host, await readConnections(host));
  const [src, dst] = args.map(expectAddressWithPort) as [SockAddr, SockAddr];
  const sent = send(await rawNetwork(host), { src, dst });
  if (sent.ok) return 0;
  throw new CommandFailure(1, `Failed to send tickle ack: ${sent.error}`);
};

async function tickleAll(host: ToolHost, connections: readonly Ends[]): Promise<number> {
  if (connections.length === 0) return 0;
  const network = await rawNetwork(host);
  const failures = connections.filter((each) => !send(network, each).ok);
  if (failures.length === 0) return 0;
  throw new CommandFailure(1, `Failed to send ${failures.length} tickles`);
}

async function rawNetwork(host: ToolHost): Promise<Pick<RawNetwork, "sendSegment">> {
  const network = await host.rawNetwork();
  if (network.ok) return network.value;
  throw new CommandFailure(1, `Failed to send tickle ack: ${network.error}`);
}

/** To the first of its ends, as if it came from the second. */
function send(network: Pick<RawNetwork, "sendSegment">, { src, dst }: Ends): Result<void> {
  const from = tcpEnd(dst);
  const to = tcpEnd(src);
  if (from === undefined || to === undefined) return err("it has no address");
  const sent = sendTickle(network, { src: from, dst: to });
  return sent.ok ? done : err(sent.error.message);
}
