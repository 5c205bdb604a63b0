/**
 * What clients of this node ask another node for that changes how it stands: that node knows only from which node it
 * came, and we know the process. The recovery daemon and its helpers, which have a socket of their own, write down why
 * themselves.
 */
import type { Journal, JournalEvent } from "../../base/journal_event.ts";
import type { AsksOther } from "../../control/control_router.ts";
import { decodePadded } from "../../wire/codec.ts";
import { CONTROLS } from "../../wire/controls.ts";
import type { PacketView } from "../../wire/packet.ts";
import { REQ_CONTROL_AT } from "../../wire/packets/layouts.ts";
import { banState } from "../../wire/structs/cluster.ts";
import type { ClientTable } from "../routing/client_table.ts";
import type { Actors } from "./actors.ts";

const ACTIONS: ReadonlyMap<number, string> = new Map([
  [CONTROLS.STOP_NODE.opcode, "stop"],
  [CONTROLS.CONTINUE_NODE.opcode, "continue"],
  [CONTROLS.DISABLE_NODE.opcode, "disable"],
  [CONTROLS.ENABLE_NODE.opcode, "enable"],
  [CONTROLS.SHUTDOWN.opcode, "shutdown"],
]);

export interface AskedOfOthersParts {
  readonly ownPnn: number;
  readonly journal: Journal;
  readonly actors: Actors;
  readonly clients: Pick<ClientTable, "get">;
}

export function recordsAskedOfOthers(parts: AskedOfOthersParts): AsksOther {
  return ({ id }, pnn, opcode, packet) => {
    const event =
      opcode === CONTROLS.SET_BAN_STATE.opcode
        ? banOf(parts, id, packet)
        : actionOf(parts, id, pnn, ACTIONS.get(opcode));
    if (event !== undefined) parts.journal.record(event);
  };
}

function banOf(
  { ownPnn, actors, clients }: AskedOfOthersParts,
  clientId: number,
  packet: PacketView,
): JournalEvent | undefined {
  const data = packet.slice(REQ_CONTROL_AT.DATA, packet.u32(REQ_CONTROL_AT.DATA_LENGTH));
  const ban = decodePadded(banState, data);
  if (!ban.ok || clients.get(clientId)?.kind === "node") return undefined;
  const { pnn: target, time: seconds } = ban.value;
  const by = actors.of({ srcnode: ownPnn, clientId });
  if (seconds === 0) return { kind: "unban", target, how: "asked", by };
  return { kind: "ban", target, seconds, reason: `asked for by ${actors.text(by)}`, by };
}

function actionOf(
  { ownPnn, actors }: AskedOfOthersParts,
  clientId: number,
  target: number,
  action: string | undefined,
): JournalEvent | undefined {
  if (action === undefined) return undefined;
  const { pid, program } = actors.of({ srcnode: ownPnn, clientId });
  return {
    kind: "action",
    action,
    target,
    arguments: [],
    who: `process ${pid}${program === undefined ? "" : ` (${program})`}`,
    before: null,
    after: null,
    failure: null,
  };
}
