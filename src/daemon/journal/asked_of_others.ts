/**
 * What clients of this node ask another node for that changes how it stands: that node knows only from which node it
 * came, and we know the process. (Bans are events of their own: controls_part.ts.)
 */
import type { Journal } from "../../base/journal_event.ts";
import { CONTROLS } from "../../wire/controls.ts";

const ACTIONS: ReadonlyMap<number, string> = new Map([
  [CONTROLS.STOP_NODE.opcode, "stop"],
  [CONTROLS.CONTINUE_NODE.opcode, "continue"],
  [CONTROLS.DISABLE_NODE.opcode, "disable"],
  [CONTROLS.ENABLE_NODE.opcode, "enable"],
  [CONTROLS.SHUTDOWN.opcode, "shutdown"],
]);

/** `processName`: undefined when it is not known. */
export function recordsAskedOfOthers(
  journal: Journal,
  processName: (pid: number) => string | undefined,
): (client: { readonly pid: number }, pnn: number, opcode: number) => void {
  return ({ pid }, pnn, opcode) => {
    const action = ACTIONS.get(opcode);
    if (action === undefined) return;
    const program = processName(pid);
    journal.record({
      kind: "action",
      action,
      target: pnn,
      arguments: [],
      who: `process ${pid}${program === undefined ? "" : ` (${program})`}`,
      before: null,
      after: null,
      failure: null,
    });
  };
}
