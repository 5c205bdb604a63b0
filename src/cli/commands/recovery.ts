/** Commands about leadership and recovery. */
import { textBeforeNul } from "../../wire/codec.ts";
import { RECOVERY_ACTIVE } from "../../wire/constants.ts";
import { INVALID_GENERATION, UNKNOWN_PNN } from "../../wire/packet.ts";
import type { Command } from "../command.ts";
import { expectArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { Peers } from "../peers.ts";
import type { getreclockFacts, leaderFacts } from "../schemas/cluster.ts";
import type { Facts } from "../schemas/facts.ts";
import type { Session } from "../session.ts";

const POLL_MS = 100;

export const leader: Command = async ({ session, host, options }) => {
  const peers = new Peers(session);
  const pnn = await peers.leader("waits");
  const facts: Facts<typeof leaderFacts> = { node: session.target, leader: pnn ?? null };
  if (options.json) answerFacts(host, facts);
  else host.out(`${pnn ?? "UNKNOWN"}\n`);
  await peers.explain();
  return 0;
};

export const getreclock: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0);
  const lock = textBeforeNul(await session.ask("GET_RECLOCK_FILE", undefined));
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      cluster_lock: lock === "" ? null : lock,
    } satisfies Facts<typeof getreclockFacts>);
  } else if (lock !== "") host.out(`${lock}\n`);
  return 0;
};

/** Forces a recovery and waits until the leader has a new generation. */
export const recover: Command = async ({ session }, args) => {
  expectArguments(args, 0);
  const before = await settledGeneration(session, "");
  const message = "Failed to set recovery mode active";
  await session.ask("SET_RECMODE", RECOVERY_ACTIVE, session.target, message);
  for (;;) {
    const generation = await settledGeneration(session, "Failed to confirm end of recovery");
    if (generation !== before) return 0;
    await session.pause(POLL_MS);
  }
};

/** The leader's generation once it is not recovering. */
export async function settledGeneration(session: Session, message: string): Promise<number> {
  const because = (text: string) => (message === "" ? text : `${text}\n${message}`);
  for (;;) {
    const pnn = (await session.leader()) ?? UNKNOWN_PNN;
    const modeMessage = because(`Failed to get recovery mode from node ${pnn}`);
    const mode = await session.answer("GET_RECMODE", undefined, pnn, modeMessage);
    if (mode.status !== RECOVERY_ACTIVE) {
      const mapMessage = because(`Failed to get generation from node ${pnn}`);
      const { generation } = await session.ask("GETVNNMAP", undefined, pnn, mapMessage);
      if (generation !== INVALID_GENERATION) return generation;
    }
    await session.pause(POLL_MS);
  }
}
