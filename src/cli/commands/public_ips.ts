/** `ctdb ip` and `ctdb ipinfo`: which public addresses there are and where they are. */
import type { ControlReplyOf } from "../../wire/controls.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import { compareAddresses, expectAddress } from "../addresses.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { machineRow } from "../format.ts";
import { interfaceFacts } from "../interface_facts.ts";
import { answerFacts } from "../json.ts";
import { Peers } from "../peers.ts";
import type { ipFacts, ipinfoFacts } from "../schemas/addresses.ts";
import type { Facts } from "../schemas/facts.ts";
import type { Session } from "../session.ts";
import { activeNodes } from "../takeover_runs.ts";

/** `pnn` is UNKNOWN_PNN for an address that nobody hosts. */
interface PublicIp {
  readonly pnn: number;
  readonly addr: SockAddr;
}
type PublicIpInfo = ControlReplyOf<"GET_PUBLIC_IP_INFO">;

export const ip: Command = async (context, args) => {
  expectArguments(args, 0, 1);
  if (args.length === 1 && args[0] !== "all") throw new WrongArguments();
  const { session, host, options } = context;
  if (options.simulate !== undefined) {
    const { simulatedIps } = await import("../simulated_ips.ts");
    return await simulatedIps(context, options.simulate >>> 0);
  }
  const all = args.length === 1;
  const peers = new Peers(session);
  const found = all ? await everywhere(session, peers) : await ofTarget(session);
  const shown = [...found].sort((a, b) => compareAddresses(a.addr, b.addr));
  const details = options.verbose
    ? await Promise.all(shown.map((each) => infoOf(session, peers, each, all)))
    : [];
  if (options.json) answerFacts(host, ipFactsOf(context, shown, details, all));
  else if (options.machine) host.out(machineIps(context, shown, details));
  else host.out(textIps(context, shown, details, all));
  await peers.explain();
  return peers.refusal;
};

async function ofTarget(session: Session): Promise<readonly PublicIp[]> {
  return await session.ask("GET_PUBLIC_IPS", undefined);
}

/**
 * The addresses of all active nodes. Where one is, only its host knows: what others think of that does not
 * count. A node that hangs is the exception: what our own node thinks that it hosts is shown as such.
 */
async function everywhere(session: Session, peers: Peers): Promise<readonly PublicIp[]> {
  const nodes = await session.nodes((pnn) => peers.ask("GET_NODEMAP", pnn, undefined));
  const pnns = activeNodes(nodes);
  if (pnns.length === 0) throw new CommandFailure(1, "None of the nodes is active");
  const answers = await Promise.all(
    pnns.map(async (pnn) => ({ pnn, ips: await peers.ask("GET_PUBLIC_IPS", pnn, undefined) })),
  );
  const silent = new Set(answers.filter(({ ips }) => ips === undefined).map(({ pnn }) => pnn));
  const found = new Map<string, PublicIp>();
  for (const { pnn: from, ips } of answers) {
    for (const { pnn, addr } of ips ?? []) {
      const hosts = pnn === from || (from === session.pnn && silent.has(pnn));
      if (hosts) found.set(addr.address, { pnn, addr });
      else if (!found.has(addr.address)) found.set(addr.address, { pnn: UNKNOWN_PNN, addr });
    }
  }
  return [...found.values()];
}

/** undefined where nobody can know. */
async function infoOf(
  session: Session,
  peers: Peers,
  { pnn, addr }: PublicIp,
  all: boolean,
): Promise<PublicIpInfo | undefined> {
  if (!all) return await session.ask("GET_PUBLIC_IP_INFO", addr);
  return pnn === UNKNOWN_PNN ? undefined : await peers.ask("GET_PUBLIC_IP_INFO", pnn, addr);
}

/** Names of interfaces. */
function interfacesOf({ head, ifaces }: PublicIpInfo) {
  return {
    active: ifaces[head.active_idx]?.name ?? null,
    available: ifaces.filter(({ link_state }) => link_state !== 0).map(({ name }) => name),
    configured: ifaces.map(({ name }) => name),
  };
}

/** With commas between them. */
function interfaceNames(info: PublicIpInfo | undefined) {
  if (info === undefined) return { active: "", available: "", configured: "" };
  const { active, available, configured } = interfacesOf(info);
  return {
    active: active ?? "",
    available: available.join(","),
    configured: configured.join(","),
  };
}

function ipFactsOf(
  { session, options }: CommandContext,
  ips: readonly PublicIp[],
  details: readonly (PublicIpInfo | undefined)[],
  all: boolean,
): Facts<typeof ipFacts> {
  const addresses = ips.map(({ pnn, addr }, i) => {
    const info = details[i];
    const interfaces = info === undefined ? null : interfacesOf(info);
    const host = pnn === UNKNOWN_PNN ? null : pnn;
    return { address: addr.address, host, ...(options.verbose ? { interfaces } : {}) };
  });
  return { node: all ? null : session.target, addresses };
}

/** As people read it: −1 for nobody. */
function hostNumber(pnn: number): number {
  return pnn | 0;
}

function machineIps(
  { options }: CommandContext,
  ips: readonly PublicIp[],
  details: readonly (PublicIpInfo | undefined)[],
): string {
  const { verbose, separator } = options;
  const more = ["ActiveInterfaces", "AvailableInterfaces", "ConfiguredInterfaces"];
  const rows = ips.map(({ pnn, addr }, i) => {
    const { active, available, configured } = interfaceNames(details[i]);
    return [addr.address, hostNumber(pnn), ...(verbose ? [active, available, configured] : [])];
  });
  const head = ["Public IP", "Node", ...(verbose ? more : [])];
  return [head, ...rows].map((row) => `${machineRow(separator, row)}\n`).join("");
}

function textIps(
  { session, options }: CommandContext,
  ips: readonly PublicIp[],
  details: readonly (PublicIpInfo | undefined)[],
  all: boolean,
): string {
  const where = all ? "ALL nodes" : `node ${session.target}`;
  const lines = ips.map(({ pnn, addr }, i) => {
    if (!options.verbose) return `${addr.address} ${hostNumber(pnn)}\n`;
    const { active, available, configured } = interfaceNames(details[i]);
    const interfaces = `active[${active}] available[${available}] configured[${configured}]`;
    return `${addr.address} node[${hostNumber(pnn)}] ${interfaces}\n`;
  });
  return `Public IPs on ${where}\n${lines.join("")}`;
}

export const ipinfo: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 1);
  const text = args[0] as string;
  const asked = await session.tryAsk("GET_PUBLIC_IP_INFO", expectAddress(text));
  if (!asked.ok) {
    if (asked.error === -1) host.out(`Node ${session.target} does not know about IP ${text}\n`);
    return asked.error;
  }
  const { head, ifaces } = asked.value.data;
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      address: head.ip.addr.address,
      host: head.ip.pnn === UNKNOWN_PNN ? null : head.ip.pnn,
      interfaces: ifaces.map((each, i) => ({
        ...interfaceFacts(each),
        active: i === head.active_idx,
      })),
    } satisfies Facts<typeof ipinfoFacts>);
    return 0;
  }
  const lines = ifaces.map(({ name, link_state, references }, i) => {
    const link = link_state === 0 ? "down" : "up";
    const active = i === head.active_idx ? " (active)" : "";
    return `Interface[${i + 1}]: Name:${name} Link:${link} References:${references}${active}\n`;
  });
  host.out(
    `Public IP[${head.ip.addr.address}] info on node ${session.target}\n` +
      `IP:${head.ip.addr.address}\n` +
      `CurrentNode:${head.ip.pnn}\n` +
      `NumInterfaces:${ifaces.length}\n${lines.join("")}`,
  );
  return 0;
};
