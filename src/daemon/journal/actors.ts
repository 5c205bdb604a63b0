/** Who asked for something by a control, for the events that it causes. */
import type { JournalActor } from "../../base/journal_event.ts";
import type { ControlRequest } from "../../control/control_request.ts";

export interface Actors {
  /** Who sent the control. */
  of(from: Pick<ControlRequest, "srcnode" | "clientId">): JournalActor;
  /** This node, of its own accord. */
  readonly own: JournalActor;
  /** In words: `node 2`, `process 4711 (ctdb) of this node`. */
  text(actor: JournalActor): string;
}

export interface ActorsParts {
  readonly ownPnn: number;
  /** Process of a local client. */
  pidOf(clientId: number): number | undefined;
  processName(pid: number): string | undefined;
}

export function actors({ ownPnn, pidOf, processName }: ActorsParts): Actors {
  return {
    own: { node: ownPnn },
    of({ srcnode, clientId }) {
      const pid = srcnode === ownPnn ? pidOf(clientId) : undefined;
      if (pid === undefined) return { node: srcnode };
      const program = processName(pid);
      return program === undefined ? { node: srcnode, pid } : { node: srcnode, pid, program };
    },
    text({ node, pid, program }) {
      if (pid !== undefined) {
        return `process ${pid}${program === undefined ? "" : ` (${program})`} of this node`;
      }
      return node === ownPnn ? "this node" : node === null ? "somebody" : `node ${node}`;
    },
  };
}
