/** Asks controls of a node in a state, and says what was not answered as often as it should be. */
import {
  CONTROL_NAMES,
  CONTROL_NOREPLY,
  CONTROLS,
  type ControlName,
} from "../../src/wire/controls.ts";
import { CURRENT_NODE, OPERATIONS } from "../../src/wire/packet.ts";
import { buildReqControl, readReplyControl } from "../../src/wire/packets/message.ts";
import { must } from "../support/must.ts";
import type { RawClient } from "./fake_cluster.ts";
import { BOUND_MS, PUSH, requestsOf, Scene, type State } from "./one_answer_scene.ts";

interface Asker {
  readonly who: string;
  readonly client: RawClient;
  readonly destnode: number;
}

/** What was asked, and what came back. */
interface Asked {
  readonly asker: Asker;
  readonly reqid: number;
  readonly what: string;
}

function ask(scene: Scene, names: readonly ControlName[], flags: number): readonly Asked[] {
  const askers: readonly Asker[] = [
    { who: "own client", client: scene.node.client(501), destnode: CURRENT_NODE },
    { who: "client of node 1", client: scene.other.client(601), destnode: 0 },
  ];
  const meant = requestsOf(scene);
  const asked: Asked[] = [];
  for (const name of names) {
    const { opcode, request } = CONTROLS[name];
    const requests = meant[name] ?? [new Uint8Array(request.minSize)];
    // Each request of each asker, then all of them again.
    for (let i = 0; i < 2 * requests.length; i++) {
      const data = requests[i % requests.length] ?? new Uint8Array(0);
      for (const asker of askers) {
        const reqid = 1000 + asked.length;
        const header = { generation: 0, destnode: asker.destnode, srcnode: 0, reqid };
        const body = { opcode, srvid: PUSH, client_id: 0, flags, data };
        asker.client.send(buildReqControl(header, body));
        asked.push({ asker, reqid, what: `${name} ${i} of ${asker.who}` });
      }
    }
  }
  return asked;
}

function answersOf({ asker, reqid }: Asked): readonly string[] {
  return asker.client.received.flatMap((packet) => {
    if (packet.operation !== OPERATIONS.REPLY_CONTROL || packet.reqid !== reqid) return [];
    const reply = must(readReplyControl(packet));
    return [reply.error || `status ${reply.status}`];
  });
}

/** Asks in the state; what was not answered as often as it should be. */
export function faults(
  state: State,
  names: readonly ControlName[],
  flags: number,
): readonly string[] {
  const scene = new Scene();
  state.enter(scene);
  const replies = scene.node.daemon.node?.controls.replies;
  if (replies === undefined) throw new Error("the node has not started");
  scene.busy = true;
  const asked = ask(scene, names, flags);
  scene.world.run(1000);
  scene.busy = false;
  scene.relax();
  scene.world.run(BOUND_MS - 1000);
  const found = replies.doubles === 0 ? [] : [`${names}: ${replies.doubles} answers too many`];
  const expected = (flags & CONTROL_NOREPLY) === 0 ? 1 : 0;
  for (const one of asked) {
    const answers = answersOf(one);
    if (answers.length === expected) continue;
    found.push(`${one.what}: answers [${answers.join(", ")}]`);
  }
  if (replies.waiting > 0) found.push(`${names}: ${replies.waiting} answers are owed`);
  return found;
}

/** What changes what others meet: each has a node of its own. */
export const ALONE: readonly ControlName[] = [
  ...["SETVNNMAP", "SET_RECMODE", "START_RECOVERY", "END_RECOVERY", "FREEZE", "SHUTDOWN"],
  ...["DB_ATTACH", "DB_ATTACH_PERSISTENT", "DB_ATTACH_REPLICATED", "DB_DETACH"],
  ...["UPDATE_RECORD", "TRANS3_COMMIT", "WIPE_DATABASE", "MODIFY_FLAGS", "RELOAD_NODES_FILE"],
  ...["STOP_NODE", "CONTINUE_NODE", "SET_BAN_STATE", "DB_FREEZE", "DB_THAW", "DB_VACUUM"],
  ...["DB_TRANSACTION_START", "DB_TRANSACTION_COMMIT", "DB_TRANSACTION_CANCEL", "PUSH_RECORD"],
  ...["DB_PULL", "DB_PUSH_START", "DB_PUSH_CONFIRM", "PROCESS_EXISTS"],
] as readonly ControlName[];
export const TOGETHER = CONTROL_NAMES.filter((name) => !ALONE.includes(name));
