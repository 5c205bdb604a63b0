/**
 * `ctdb tickle`: a segment of a connection of somebody else, which makes its end look whether the
 * connection still stands. It goes to the first address, as if it came from the second.
 */
import { sendTickle, type TcpPath } from "../../failover/packets/tickle.ts";
import type { RawNetwork, TcpEnd } from "../../platform/types/raw_network.ts";
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
  const sent = sendTickle(await rawNetwork(host), tcpPath({ src, dst }));
  if (sent.ok) return 0;
  throw new CommandFailure(1, `Failed to send tickle ack: ${sent.error.message}`);
};

async function tickleAll(host: ToolHost, connections: readonly Ends[]): Promise<number> {
  if (connections.length === 0) return 0;
  const network = await rawNetwork(host);
  const failures = connections.filter((each) => !sendTickle(network, tcpPath(each)).ok);
  if (failures.length === 0) return 0;
  throw new CommandFailure(1, `Failed to send ${failures.length} tickles`);
}

async function rawNetwork(host: ToolHost): Promise<RawNetwork> {
  const network = await host.rawNetwork();
  if (network.ok) return network.value;
  throw new CommandFailure(1, `Failed to send tickle ack: ${network.error}`);
}

/** The end that is to answer stands first on the command line and in lists. */
function tcpPath({ src: to, dst: from }: Ends): TcpPath {
  return { src: end(from), dst: end(to) };
}

function end({ family, address, port }: SockAddr): TcpEnd {
  return { family: family === "ipv6" ? "ipv6" : "ipv4", address, port };
}
