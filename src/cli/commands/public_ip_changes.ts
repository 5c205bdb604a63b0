/** Commands that change which public addresses a node can host, and that announce one. */
import { encode, u32Codec } from "../../wire/codec.ts";
import { SRVID } from "../../wire/constants.ts";
import { BROADCAST_CONNECTED } from "../../wire/packet.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import { expectAddress, parseAddressWithMask, sameAddress } from "../addresses.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { editFile, expectInterfaces, fileAddition, fileRemoval } from "../public_addresses_file.ts";
import { repeated } from "../repeated.ts";
import type { ChangedIpFacts } from "../schemas/acted.ts";
import type { Session } from "../session.ts";

async function knows(session: Session, addr: SockAddr): Promise<boolean> {
  const asked = await session.tryAsk("GET_PUBLIC_IPS", undefined);
  if (asked.ok) return asked.value.data.some((entry) => sameAddress(entry.addr, addr));
  throw new CommandFailure(1, `Failed to get Public IPs from node ${session.target}`);
}

export const addip: Command = async (context, args) => {
  const { session, host, options } = context;
  expectArguments(args, 2);
  const [text, iface] = args as [string, string];
  const address = parseAddressWithMask(text);
  if (address === undefined) throw new CommandFailure(1, `Invalid IP/Mask ${text}`);
  const { addr, mask } = address;
  const edit = options.write ? fileAddition(session, addr, mask, iface) : undefined;
  if (await knows(session, addr)) {
    host.err(`Node already knows about IP ${addr.address}\n`);
    if (edit === undefined) return answerChanged(context, false, null);
    await expectInterfaces(session, addr, edit.interfaces);
    const course = `Node ${session.pnn} knows ${addr.address} already`;
    return answerChanged(context, false, await editFile(context, edit.change, course));
  }
  await repeated(session, `Failed to add public IP to node ${session.target}. Giving up`, () =>
    session.ask("ADD_PUBLIC_IP", { ...address, iface }),
  );
  // The leader is asked to give this node addresses; the node itself asks for the takeover run.
  const rebalance = encode(u32Codec, session.target);
  session.client.sendMessage(BROADCAST_CONNECTED, SRVID.REBALANCE_NODE, rebalance);
  if (edit === undefined) return answerChanged(context, true, null);
  const course = `${addr.address} was added to running node ${session.pnn}`;
  return answerChanged(context, true, await editFile(context, edit.change, course));
};

/** The exit status. `fileChanged`: null without --write. */
function answerChanged(
  { session, host, options }: CommandContext,
  changed: boolean,
  fileChanged: boolean | null,
): number {
  const facts: ChangedIpFacts = { node: session.target, changed, file_changed: fileChanged };
  if (options.json) answerFacts(host, facts);
  return 0;
}

/** An address that is in use goes with the next takeover run, which the node asks for. */
export const delip: Command = async (context, args) => {
  const { session, host, options } = context;
  expectArguments(args, 1);
  const addr = expectAddress(args[0] as string);
  const edit = options.write ? fileRemoval(session, addr) : undefined;
  const isKnown = await knows(session, addr);
  if (isKnown) {
    const failure = `Failed to delete public IP from node ${session.target}`;
    await session.ask("DEL_PUBLIC_IP", { addr, mask: 0, iface: "" }, session.target, failure);
  } else {
    host.err(`Node does not know about IP address ${addr.address}\n`);
  }
  const course = isKnown
    ? `${addr.address} was deleted from running node ${session.pnn}`
    : `Node ${session.pnn} does not know ${addr.address}`;
  const fileChanged = edit === undefined ? null : await editFile(context, edit, course);
  return answerChanged(context, isKnown, fileChanged);
};

/** The node sends it, and not this process: the address is where the node is. */
export const gratarp: Command = async ({ session }, args) => {
  expectArguments(args, 2);
  const addr = expectAddress(args[0] as string);
  const request = { addr, mask: 0, iface: args[1] as string };
  const failure = `Unable to send gratuitous arp from node ${session.target}`;
  await session.ask("SEND_GRATUITOUS_ARP", request, session.target, failure);
  return 0;
};
