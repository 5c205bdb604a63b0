/**
 * What clients of this node ask another node for that changes how it stands: that node knows only from which node it
 * came, and we know the process. Our own children write down themselves what they decide.
 */
import type { Journal } from "../../base/journal_event.ts";
import type { ControlClient } from "../../control/host.ts";
import { CONTROLS } from "../../wire/controls.ts";
import type { PacketView } from "../../wire/packet.ts";
import { REQ_CONTROL_AT } from "../../wire/packets/layouts.ts";

const BAN = CONTROLS.SET_BAN_STATE.opcode;
/** Of a ban state: its pnn and then its seconds, 0 of which end a ban. */
const BAN_SECONDS_AT = REQ_CONTROL_AT.DATA + 4;
const BAN_BYTES = 8;

const ACTIONS: ReadonlyMap<number, string> = new Map([
  [BAN, "ban"],
  [CONTROLS.STOP_NODE.opcode, "stop"],
  [CONTROLS.CONTINUE_NODE.opcode, "continue"],
  [CONTROLS.DISABLE_NODE.opcode, "disable"],
  [CONTROLS.ENABLE_NODE.opcode, "enable"],
  [CONTROLS.SHUTDOWN.opcode, "shutdown"],
]);

/** The system cuts names of processes to fifteen characters. */
const OUR_CHILDREN = /^ctdb(-recoverd|_recovery_h|_takeover_h)/;

export function recordsAskedOfOthers(
  journal: Journal,
  processName: (pid: number) => string | undefined,
): (client: ControlClient, pnn: number, packet: PacketView) => void {
  return ({ pid }, pnn, packet) => {
    const known = ACTIONS.get(packet.u32(REQ_CONTROL_AT.OPCODE));
    if (known === undefined) return;
    const program = processName(pid);
    if (program !== undefined && OUR_CHILDREN.test(program)) return;
    const isBan = known === "ban" && packet.u32(REQ_CONTROL_AT.DATA_LENGTH) >= BAN_BYTES;
    const seconds = isBan ? packet.u32(BAN_SECONDS_AT) : 0;
    journal.record({
      kind: "action",
      action: isBan && seconds === 0 ? "unban" : known,
      target: pnn,
      arguments: seconds === 0 ? [] : [String(seconds)],
      who: `process ${pid}${program === undefined ? "" : ` (${program})`}`,
      before: null,
      after: null,
      failure: null,
    });
  };
}
