/** Commands about the connections of a public address that a node keeps, to be reset when the address moves. */
import { type Connection, endpointText } from "../../wire/structs/connection_text.ts";
import type { Endpoint, SockAddr } from "../../wire/structs/socket_address.ts";
import { expectAddress, expectEndpoint } from "../addresses.ts";
import type { Command, CommandContext } from "../command.ts";
import { readConnections } from "../connection_list.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { machineRow } from "../format.ts";
import { answerFacts } from "../json.ts";
import { parsePort } from "../numbers.ts";
import type { getticklesFacts } from "../schemas/addresses.ts";
import type { Facts } from "../schemas/facts.ts";

/** How many connections of a list are on their way to ctdbd at the same time. */
const CONNECTIONS_AT_ONCE = 500;

export const gettickles: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 1, 2);
  const port = parsePort(args[1] ?? "0");
  if (!port.ok) return port.error;
  const asked = expectAddress(args[0] as string, port.value);
  const failure = "Failed to get list of connections";
  const list = await session.ask("GET_TCP_TICKLE_LIST", asked, session.target, failure);
  const { addr, connections } = list;
  if (options.json) {
    const end = ({ address, port: number }: SockAddr) => ({ address, port: number });
    answerFacts(host, {
      node: session.target,
      address: addr.address,
      connections: connections.map(({ src, dst }) => ({ source: end(src), destination: end(dst) })),
    } satisfies Facts<typeof getticklesFacts>);
    return 0;
  }
  if (options.machine) {
    const rows = connections.map(({ src, dst }) => [src.address, src.port, dst.address, dst.port]);
    const head = ["Source IP", "Port", "Destination IP", "Port"];
    host.out([head, ...rows].map((row) => `${machineRow(options.separator, row)}\n`).join(""));
    return 0;
  }
  const lines = connections.map(
    ({ src, dst }) => `SRC: ${endpointText(src)}   DST: ${endpointText(dst)}\n`,
  );
  host.out(
    `Connections for IP: ${addr.address}\nNum connections: ${connections.length}\n${lines.join("")}`,
  );
  return 0;
};

/** One pair of ends as arguments, or a list on standard input. */
function changing(
  control: "TCP_ADD_DELAYED_UPDATE" | "TCP_REMOVE",
  change: string,
  registered: string,
): Command {
  return async (context, args) => {
    if (args.length !== 0 && args.length !== 2) throw new WrongArguments();
    const { session, host } = context;
    if (args.length === 0)
      return await changeAll(context, control, change, await readConnections(host));
    const [src, dst] = args.map(expectEndpoint) as [Endpoint, Endpoint];
    await session.ask(control, { src, dst }, session.target, `Failed to ${registered} connection`);
    return 0;
  };
}

async function changeAll(
  { session }: CommandContext,
  control: "TCP_ADD_DELAYED_UPDATE" | "TCP_REMOVE",
  change: string,
  connections: readonly Connection[],
): Promise<number> {
  let failures = 0;
  for (let at = 0; at < connections.length; at += CONNECTIONS_AT_ONCE) {
    const part = connections.slice(at, at + CONNECTIONS_AT_ONCE);
    const outcomes = await Promise.all(part.map((each) => session.attempt(control, each)));
    failures += outcomes.filter((outcome) => !outcome.ok).length;
  }
  if (failures === 0) return 0;
  throw new CommandFailure(1, `Failed to ${change} ${failures} tickles`);
}

export const addtickle = changing("TCP_ADD_DELAYED_UPDATE", "add", "register");
export const deltickle = changing("TCP_REMOVE", "remove", "unregister");
