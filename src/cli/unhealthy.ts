/**
 * Why nodes are unhealthy, for `status -v`: the own node by its event daemon, which knows every script of the last
 * monitor event, others by what their ctdbd says (PING_HEALTH). All are asked at the same time, and none for long.
 *
 * Invariant: what scripts and other nodes say is shown without characters that do something to a terminal.
 */
import { DURATION_UNKNOWN, type MonitorFailure } from "../wire/structs/cluster.ts";
import type { CommandContext } from "./command.ts";
import { failureText, whyUnhealthy } from "./event_status.ts";
import { printable } from "./format.ts";
import type { Peers } from "./peers.ts";
import { toolPaths } from "./tool_paths.ts";

export interface UnhealthyNode {
  readonly pnn: number;
  /** One for each script that failed, or a sentence that says that none is known. */
  readonly reasons: readonly string[];
  /** Why there are no reasons, for people; empty where that is said elsewhere. */
  readonly problem: string;
}

export async function explainNodes(
  context: CommandContext,
  peers: Peers,
  pnns: readonly number[],
): Promise<readonly UnhealthyNode[]> {
  const own = context.session.pnn;
  return await Promise.all(
    pnns.map((pnn) => (pnn === own ? explainOwn(context) : explainPeer(peers, pnn))),
  );
}

async function explainOwn({ host, session: { pnn } }: CommandContext): Promise<UnhealthyNode> {
  const reasons = await whyUnhealthy(host, toolPaths(host).eventSocket);
  if (reasons.ok) return { pnn, reasons: reasons.value.map(printable), problem: "" };
  const problem = `Cannot ask the event daemon why node ${pnn} is unhealthy: ${reasons.error}`;
  return { pnn, reasons: [], problem };
}

async function explainPeer(peers: Peers, pnn: number): Promise<UnhealthyNode> {
  const health = await peers.health(pnn);
  if (health === "silent") return { pnn, reasons: [], problem: "" };
  if (health === "says nothing") {
    const problem = `Node ${pnn} does not say why it is unhealthy: "ctdb scriptstatus" there does`;
    return { pnn, reasons: [], problem };
  }
  const { failures, monitor_events } = health;
  if (failures.length > 0) {
    return { pnn, reasons: failures.map(peerFailureText).map(printable), problem: "" };
  }
  const none =
    monitor_events === 0
      ? "the monitor event has not run yet"
      : "no script is known to have failed";
  return { pnn, reasons: [none], problem: "" };
}

export function peerFailureText({ script, result, duration_ms, line }: MonitorFailure): string {
  return failureText({
    script,
    result,
    line: line === "" ? undefined : line,
    durationMs: duration_ms === DURATION_UNKNOWN ? undefined : duration_ms,
  });
}
