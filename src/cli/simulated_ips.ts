/**
 * `ctdb ip --simulate`: where public addresses would be if a node left, by the allocation that the leader uses.
 *
 * Only asked for, nothing changes. What the leader alone knows is not in it: nodes that it was told to give addresses
 * to (`addip`), and its file of home nodes where that differs from the one here.
 */
import { silentLogger } from "../base/log.ts";
import type { Result } from "../base/result.ts";
import type { ClientFailure, ControlAnswer } from "../client/types.ts";
import { TunableSet } from "../config/tunables.ts";
import type { AddressesByNode, HostedAddress } from "../failover/allocation/addresses.ts";
import { algorithmOfTunable, allocate } from "../failover/allocation/allocate.ts";
import { type HomeNode, parseHomeNodes } from "../failover/allocation/home_nodes.ts";
import { PUBLIC_IPS_ONLY_AVAILABLE } from "../wire/controls.ts";
import { compareAddresses } from "./addresses.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./failure.ts";
import { machineRow } from "./format.ts";
import type { ToolHost } from "./host.ts";
import { answerFacts } from "./json.ts";
import type { ipFacts } from "./schemas/addresses.ts";
import type { Facts } from "./schemas/facts.ts";
import type { Session } from "./session.ts";
import { activeNodes, connectedNodes } from "./takeover_runs.ts";
import { toolPaths } from "./tool_paths.ts";

export async function simulatedIps(context: CommandContext, leaving: number): Promise<number> {
  const { session, host } = context;
  const nodes = await session.nodes();
  if (!activeNodes(nodes).includes(leaving)) {
    throw new CommandFailure(1, `Node ${leaving} is not active, and hosts nothing`);
  }
  const staying = activeNodes(nodes).filter((pnn) => pnn !== leaving);
  const [known, available, tunables] = await Promise.all([
    addressesOf(session, connectedNodes(nodes), 0),
    addressesOf(session, staying, PUBLIC_IPS_ONLY_AVAILABLE),
    leadersTunables(session),
  ]);
  const read = (name: string) => tunables.get(name) ?? 0;
  const algorithm = algorithmOfTunable(read("IPAllocAlgorithm"));
  const placed = allocate({
    nodeCount: nodes.length,
    algorithm,
    noTakeover: read("NoIPTakeover") !== 0,
    noFailback: read("NoIPFailback") !== 0,
    rebalance: [],
    homeNodes: algorithm === "deterministic" ? await homeNodes(host) : [],
    known,
    available,
    log: silentLogger,
    logsDetails: false,
  });
  if (!placed.ok) throw new CommandFailure(1, `Cannot allocate public IPs: ${placed.error}`);
  const now = hostsNow(known);
  const moves = [...placed.value]
    .sort((a, b) => compareAddresses(a.addr, b.addr))
    .map(({ addr, pnn }) => ({
      address: addr.address,
      from: now.get(addr.address) ?? NOBODY,
      to: pnn | 0,
    }));
  if (context.options.json) {
    answerFacts(host, {
      leaving,
      addresses: moves.map(({ address, from, to }) => ({
        address,
        from: from === NOBODY ? null : from,
        to: to === NOBODY ? null : to,
      })),
    } satisfies Facts<typeof ipFacts>);
  } else {
    host.out(movesText(context, leaving, moves));
  }
  return 0;
}

/** As people read it. */
const NOBODY = -1;

interface Move {
  readonly address: string;
  readonly from: number;
  readonly to: number;
}

function movesText({ options }: CommandContext, leaving: number, moves: readonly Move[]): string {
  if (options.machine) {
    const rows = moves.map(({ address, from, to }) => [address, from, to]);
    const head = ["Public IP", "Node", "NewNode"];
    return [head, ...rows].map((row) => `${machineRow(options.separator, row)}\n`).join("");
  }
  const lines = moves.map(({ address, from, to }) => {
    return from === to ? `${address} ${from}\n` : `${address} ${from} -> ${to}\n`;
  });
  return `Public IPs on ALL nodes if node ${leaving} left\n${lines.join("")}`;
}

/** Only its host is believed about where an address is. */
function hostsNow(known: AddressesByNode): ReadonlyMap<string, number> {
  const hosts = new Map<string, number>();
  for (const [pnn, addresses] of known) {
    for (const entry of addresses) if (entry.pnn === pnn) hosts.set(entry.addr.address, pnn);
  }
  return hosts;
}

/** A placement without one of the nodes would be another: each must answer. */
async function addressesOf(
  session: Session,
  pnns: readonly number[],
  flags: number,
): Promise<AddressesByNode> {
  const ask = async (pnn: number): Promise<[number, Outcome]> => {
    const { timeoutMs } = session;
    return [pnn, await session.attempt("GET_PUBLIC_IPS", undefined, pnn, { timeoutMs, flags })];
  };
  const answers = await Promise.all(pnns.map(ask));
  return new Map(
    answers.map(([pnn, answer]) => {
      if (answer.ok) return [pnn, answer.value.data];
      const status = session.complain("GET_PUBLIC_IPS", pnn, answer.error);
      throw new CommandFailure(status, `Failed to get Public IPs from node ${pnn}`);
    }),
  );
}
type Outcome = Result<ControlAnswer<readonly HostedAddress[]>, ClientFailure>;

async function leadersTunables(session: Session): Promise<TunableSet> {
  const leader = (await session.leader()) ?? session.pnn;
  const tunables = new TunableSet();
  tunables.assignWireOrder(await session.ask("GET_ALL_TUNABLES", undefined, leader));
  return tunables;
}

async function homeNodes(host: ToolHost): Promise<readonly HomeNode[]> {
  const path = `${toolPaths(host).etcDirectory}/home_nodes`;
  const text = await host.readText(path);
  if (!text.ok) return [];
  const homes = parseHomeNodes(text.value);
  if (homes.ok) return homes.value;
  host.err(`Cannot use "${path}": ${homes.error}\n`);
  return [];
}
