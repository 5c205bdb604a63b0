/**
 * `ctdb drain`: a node is disabled after its clients were asked to go, so that they leave by themselves instead of
 * having their connections reset. Clients that were not asked, or do not go in time, are moved by the failover.
 */
import { NODE_FLAGS_HOSTS_NOTHING } from "../../wire/constants.ts";
import type { Command } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { parseDecimal32 } from "../numbers.ts";
import type { Session } from "../session.ts";
import { moveWitnessClients, witnessClients } from "../witness.ts";
import { disable } from "./administration.ts";

const LOOK_AGAIN_MS = 500;

export const drain: Command = async (context, args) => {
  expectArguments(args, 0, 1);
  const { session } = context;
  if (args[0] !== undefined) {
    const pnn = parseDecimal32(args[0]);
    if (pnn === undefined) throw new CommandFailure(1, `Invalid PNN ${args[0]}`);
    await session.selectTarget(pnn);
  }
  await moveClients(session, await nodesToMoveTo(session));
  return await disable(context, []);
};

async function nodesToMoveTo(session: Session): Promise<readonly number[]> {
  const nodes = (await session.nodes()).filter(
    ({ flags }) => (flags & NODE_FLAGS_HOSTS_NOTHING) === 0,
  );
  const others = nodes.map(({ pnn }) => pnn).filter((pnn) => pnn !== session.target);
  if (others.length > 0) return others;
  throw new CommandFailure(1, `No other node can take over from node ${session.target}`);
}

async function moveClients(session: Session, others: readonly number[]): Promise<void> {
  const { host, target } = session;
  const hosted = (await session.ask("GET_PUBLIC_IPS", undefined))
    .filter(({ pnn }) => pnn === target)
    .map(({ addr }) => addr.address);
  if (hosted.length === 0) return;
  const clients = await witnessClients(host, hosted);
  if (!clients.ok) {
    host.err(`Clients are not asked to move first: ${clients.error}\n`);
    return;
  }
  if (clients.value.size === 0) return;
  let next = 0;
  for (const address of clients.value.keys()) {
    const pnn = others[next % others.length] as number;
    next += 1;
    const moved = await moveWitnessClients(host, address, pnn);
    if (!moved.ok) host.err(`Cannot ask the clients of ${address} to move: ${moved.error}\n`);
  }
  await waitUntilGone(session, hosted, sumOf(clients.value));
}

/** For the time limit of a request at most: the others have had their chance. */
async function waitUntilGone(
  session: Session,
  hosted: readonly string[],
  asked: number,
): Promise<void> {
  const { host, target } = session;
  const endMs = host.clock.monotonicMs() + session.timeoutMs;
  for (;;) {
    const left = await witnessClients(host, hosted);
    if (!left.ok || left.value.size === 0) break;
    if (host.clock.monotonicMs() >= endMs) {
      host.err(`${sumOf(left.value)} clients have not left node ${target}\n`);
      break;
    }
    await session.pause(LOOK_AGAIN_MS);
  }
  host.out(`Asked ${asked} clients of node ${target} to move\n`);
}

function sumOf(clients: ReadonlyMap<string, number>): number {
  return [...clients.values()].reduce((sum, count) => sum + count, 0);
}
