/** Controls about nodes: the node map, flags, the nodes file, bans, the vnn map. */
import type { JournalActor } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { Result } from "../../base/result.ts";
import type { ConfiguredNode } from "../../config/types.ts";
import {
  type ControlHandlers,
  type ControlRequest,
  failure,
  SUCCESS,
} from "../../control/control_request.ts";
import { mayTellFlags } from "../../membership/flag_transitions.ts";
import { type NodeTable, nodesFileToWire } from "../../membership/node_table.ts";
import { ownLineProblem } from "../../membership/nodes_change.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import { encode } from "../../wire/codec.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import { flagWords } from "../../wire/flag_words.ts";
import {
  banState,
  type FlagChange,
  nodeMap,
  vnnMap as vnnMapCodec,
} from "../../wire/structs/cluster.ts";
import type { DatabasePart } from "../database_part.ts";
import type { Actors } from "../journal/actors.ts";
import type { NodeState } from "../lifecycle/node_state.ts";
import type { Standing } from "../lifecycle/standing.ts";

export type NodesLoaded = (outcome: Result<readonly ConfiguredNode[]>) => void;

export interface MembershipControlParts {
  readonly nodes: NodeTable;
  readonly vnnMap: VnnMap;
  readonly state: NodeState;
  readonly standing: Standing;
  readonly database: Pick<DatabasePart, "hasInvalidRecords">;
  readonly log: Logger;
  readonly actors: Actors;
  /** Reads the nodes file anew, or runs the command that prints it. */
  loadNodes(done: NodesLoaded): void;
  /** A new nodes file is in force. */
  nodesReloaded(nodes: readonly ConfiguredNode[], by: JournalActor): void;
  forceRecovery(reason: string): void;
  /** Who leads, as it has said lately; otherwise UNKNOWN_PNN. */
  leader(): number;
}

export function membershipControls(parts: MembershipControlParts): ControlHandlers {
  const { nodes, vnnMap, state, standing, actors } = parts;
  const act = (action: (by: JournalActor) => void) => (_request: unknown, from: ControlRequest) => {
    action(actors.of(from));
    return SUCCESS;
  };
  return {
    GET_NODEMAP: () => ({ status: 0, data: encode(nodeMap, nodes.toWire()) }),
    MODIFY_FLAGS: (change, from) => modifyFlags(parts, change, from),
    STOP_NODE: act((by) => standing.stop(by)),
    CONTINUE_NODE: act((by) => standing.continue(by)),
    DISABLE_NODE: act((by) => standing.disable(by)),
    ENABLE_NODE: act((by) => standing.enable(by)),
    GET_BAN_STATE: () => ({ status: 0, data: encode(banState, standing.banState()) }),
    SET_BAN_STATE: ({ pnn, time }, from) => {
      if (pnn !== nodes.ownPnn) {
        return failure(`SET_BAN_STATE for node ${pnn} came to node ${nodes.ownPnn}`);
      }
      standing.setBan(time, actors.of(from));
      return SUCCESS;
    },
    GETVNNMAP: () => ({
      status: 0,
      data: encode(vnnMapCodec, { generation: vnnMap.generation, map: vnnMap.map }),
    }),
    SETVNNMAP: ({ generation, map }) => {
      if (!state.recovering) return failure("attempt to set the vnn map when not in recovery");
      vnnMap.set(generation, map, !parts.database.hasInvalidRecords());
      return SUCCESS;
    },
    GET_NODES_FILE: (_request, _from, later) => {
      parts.loadNodes((loaded) => {
        if (!loaded.ok) return later(failure(loaded.error));
        later({ status: 0, data: encode(nodeMap, nodesFileToWire(loaded.value)) });
      });
      return "later";
    },
    RELOAD_NODES_FILE: (_request, from, later) => {
      const by = actors.of(from);
      parts.loadNodes((loaded) => {
        if (!loaded.ok) {
          parts.log.error(loaded.error);
          return later(failure(loaded.error));
        }
        const { own } = nodes;
        const wrong = ownLineProblem(loaded.value, own);
        if (wrong !== undefined) {
          const problem = `Cannot reload the nodes file: ${wrong}`;
          parts.log.error(problem);
          return later(failure(problem));
        }
        parts.nodesReloaded(loaded.value, by);
        later(SUCCESS);
      });
      return "later";
    },
  };
}

function modifyFlags(parts: MembershipControlParts, change: FlagChange, from: ControlRequest) {
  const { nodes, state, log, actors } = parts;
  const { ownPnn } = nodes;
  const { pnn } = change;
  // The leader asks us for our own flags; what it sends back may be old.
  if (pnn === ownPnn) return SUCCESS;
  if (!nodes.exists(pnn)) return failure(`node ${pnn} does not exist`);
  const by = actors.of(from);
  const leader = parts.leader();
  if (!mayTellFlags({ from: from.srcnode, about: pnn, ownPnn, leader })) {
    nodes.noteRefusal();
    const reason = `flags of node ${pnn} are told by itself or by the leader, node ${leader}`;
    log.error(`Refused to change flags for ${actors.text(by)}: ${reason}`);
    return failure(reason);
  }
  if ((nodes.flags(pnn) & NODE_FLAGS.DISCONNECTED) !== 0) return SUCCESS;
  const { before, refused } = nodes.modifyFlags(pnn, change.new_flags, {
    reason: from.srcnode === pnn ? "it says so" : `${actors.text(by)} says so`,
    by,
  });
  if (refused !== 0) {
    const flags = flagWords(refused).join(", ") || "unknown flags";
    const hex = refused.toString(16);
    log.error(
      `Left flags 0x${hex} (${flags}) of node ${pnn} as they are: ${actors.text(by)} may not change them`,
    );
  }
  const after = nodes.flags(pnn);
  if (after === before) return SUCCESS;
  log.notice(`Node ${pnn} has changed flags - 0x${before.toString(16)} -> 0x${after.toString(16)}`);
  if (after === 0 && state.runstateBefore("RUNNING")) {
    parts.forceRecovery(`node ${pnn} became healthy while this node starts up`);
  }
  return SUCCESS;
}
