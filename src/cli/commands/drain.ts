/**
 * `ctdb drain`: a node is disabled after its clients were asked to go, so that they leave by themselves instead of
 * having their connections reset. Clients that were not asked, or do not go in time, are moved by the failover.
 */
import { NODE_FLAGS_HOSTS_NOTHING } from "../../wire/constants.ts";
import type { Command } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { parseDecimal32 } from "../numbers.ts";
import type { drainFacts } from "../schemas/cluster.ts";
import type { Facts } from "../schemas/facts.ts";
import type { Session } from "../session.ts";
import { moveWitnessClients, witnessClients } from "../witness.ts";
import { disableTarget } from "./administration.ts";

const LOOK_AGAIN_MS = 500;

export const drain: Command = async (context, args) => {
  expectArguments(args, 0, 1);
  const { session } = context;
  if (args[0] !== undefined) {
    const pnn = parseDecimal32(args[0]);
    if (pnn === undefined) throw new CommandFailure(1, `Invalid PNN ${args[0]}`);
    await session.selectTarget(pnn);
  }
  const clients = await moveClients(session, await nodesToMoveTo(session));
  const { json } = context.options;
  if (!json && clients !== undefined && clients.asked > 0) {
    session.host.out(`Asked ${clients.asked} clients of node ${session.target} to move\n`);
  }
  const { status, changed } = await disableTarget(session);
  if (json && status === 0) {
    answerFacts(session.host, {
      node: session.target,
      changed,
      clients_asked: clients?.asked ?? null,
      clients_left: clients?.left ?? null,
    } satisfies Facts<typeof drainFacts>);
  }
  return status;
};

async function nodesToMoveTo(session: Session): Promise<readonly number[]> {
  const nodes = (await session.nodes()).filter(
    ({ flags }) => (flags & NODE_FLAGS_HOSTS_NOTHING) === 0,
  );
  const others = nodes.map(({ pnn }) => pnn).filter((pnn) => pnn !== session.target);
  if (others.length > 0) return others;
  throw new CommandFailure(1, `No other node can take over from node ${session.target}`);
}

interface Moved {
  readonly asked: number;
  /** That had not gone in time; undefined: that is not known. */
  readonly left: number | undefined;
}

const NOBODY_TO_MOVE: Moved = { asked: 0, left: 0 };

/** undefined: nobody could be asked. */
async function moveClients(
  session: Session,
  others: readonly number[],
): Promise<Moved | undefined> {
  const { host, target } = session;
  const hosted = (await session.ask("GET_PUBLIC_IPS", undefined))
    .filter(({ pnn }) => pnn === target)
    .map(({ addr }) => addr.address);
  if (hosted.length === 0) return NOBODY_TO_MOVE;
  const clients = await witnessClients(host, hosted);
  if (!clients.ok) {
    host.err(`Clients are not asked to move first: ${clients.error}\n`);
    return undefined;
  }
  if (clients.value.size === 0) return NOBODY_TO_MOVE;
  let next = 0;
  for (const address of clients.value.keys()) {
    const pnn = others[next % others.length] as number;
    next += 1;
    const moved = await moveWitnessClients(host, address, pnn);
    if (!moved.ok) host.err(`Cannot ask the clients of ${address} to move: ${moved.error}\n`);
  }
  const asked = sumOf(clients.value);
  return { asked, left: await waitUntilGone(session, hosted) };
}

/**
 * For the time limit of a request at most: the others have had their chance. The result is how many have not gone;
 * undefined where that is not known.
 */
async function waitUntilGone(
  session: Session,
  hosted: readonly string[],
): Promise<number | undefined> {
  const { host, target } = session;
  const endMs = host.clock.monotonicMs() + session.timeoutMs;
  for (;;) {
    const left = await witnessClients(host, hosted);
    if (!left.ok) return undefined;
    const count = sumOf(left.value);
    if (count === 0) return 0;
    if (host.clock.monotonicMs() >= endMs) {
      host.err(`${count} clients have not left node ${target}\n`);
      return count;
    }
    await session.pause(LOOK_AGAIN_MS);
  }
}

function sumOf(clients: ReadonlyMap<string, number>): number {
  return [...clients.values()].reduce((sum, count) => sum + count, 0);
}
