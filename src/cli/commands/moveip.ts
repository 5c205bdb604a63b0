/** `ctdb moveip` and `ctdb reloadips`: changes of many nodes, during which the leader keeps still. */
import type { Result } from "../../base/result.ts";
import type { ClientFailure } from "../../client/types.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import { expectAddress, sameAddress } from "../addresses.ts";
import type { Command } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { parseDecimal32 } from "../numbers.ts";
import { repeated } from "../repeated.ts";
import { connectionLost, exitStatus, type Session, selectNodes } from "../session.ts";
import { activeNodes, connectedNodes, reallocate, withoutTakeoverRuns } from "../takeover_runs.ts";

export const moveip: Command = async ({ session }, args) => {
  expectArguments(args, 2);
  const [text, node] = args as [string, string];
  const addr = expectAddress(text);
  const pnn = parseDecimal32(node);
  if (pnn === undefined || pnn === UNKNOWN_PNN) throw new CommandFailure(1, `Invalid PNN ${node}`);
  await repeated(session, `Failed to move IP ${text} to node ${pnn}`, () =>
    move(session, addr, pnn),
  );
  return 0;
};

async function move(session: Session, addr: SockAddr, pnn: number): Promise<void> {
  const { client, timeoutMs } = session;
  const noList = `Failed to get Public IPs from node ${pnn}`;
  const hosted = await session.ask("GET_PUBLIC_IPS", undefined, pnn, noList);
  if (!hosted.some((entry) => sameAddress(entry.addr, addr))) {
    throw new CommandFailure(1, `Node ${pnn} CANNOT host IP address ${addr.address}`);
  }
  const nodes = await session.nodes();
  const connected = connectedNodes(nodes);
  const others = activeNodes(nodes).filter((other) => other !== pnn);
  await withoutTakeoverRuns(session, connected, async () => {
    const request = { pnn, addr };
    const released = await client.controlEach("RELEASE_IP", request, others, { timeoutMs });
    expectAll(released, "Failed to release IP on nodes");
    await session.ask("TAKEOVER_IP", request, pnn, `Failed to takeover IP on node ${pnn}`);
  });
  const told = await client.controlEach("IPREALLOCATED", undefined, connected, { timeoutMs });
  expectAll(told, "Failed to send ipreallocated");
}

/** Ends the command unless every node did it. */
function expectAll<T>(
  answers: ReadonlyMap<number, Result<T, ClientFailure>>,
  failure: string,
): void {
  for (const answer of answers.values()) {
    if (answer.ok) continue;
    if (answer.error.kind === "disconnected") throw connectionLost(answer.error);
    throw new CommandFailure(exitStatus(answer.error), failure);
  }
}

/** The nodes read their files again; the leader then distributes what there is now. */
export const reloadips: Command = async ({ session, host }, args) => {
  expectArguments(args, 0, 1);
  const selected = activeNodes(await selectNodes(session, args[0]));
  if (selected.length === 0) throw new CommandFailure(1, "None of the nodes is active");
  const connected = connectedNodes(await session.nodes());
  await withoutTakeoverRuns(session, connected, async () => {
    const { client, timeoutMs } = session;
    const reloaded = await client.controlEach("RELOAD_PUBLIC_IPS", undefined, selected, {
      timeoutMs,
    });
    // A daemon whose file is wrong answers with a status above 0, which is no failure of the control.
    const all = [...reloaded.values()].every((answer) => answer.ok && answer.value.status === 0);
    // The others did, and need their addresses distributed.
    if (!all) host.err("Failed to reload IPs on some nodes.\n");
  });
  return await reallocate(session);
};
