/**
 * Watches the calls that a node passes on: one that goes from node to node without end shows that the
 * nodes contradict each other about who is data master of its record, and nobody is. It must not happen,
 * except for the moment until a recovery that somebody has asked for begins.
 */
import type { DatabaseHost } from "../../src/database/host.ts";
import { OPERATIONS } from "../../src/wire/packet.ts";
import { REQ_CALL_AT } from "../../src/wire/packets/layouts.ts";
import type { Judge } from "./violation.ts";

/** A call that follows a record which moves on all the time takes a dozen or two. */
const HOPS_MAX = 100;

export class CallChecker {
  readonly #judge: Judge;
  readonly #recoveryIsWanted: () => boolean;
  mostHops = 0;

  constructor(judge: Judge, recoveryIsWanted: () => boolean) {
    this.#judge = judge;
    this.#recoveryIsWanted = recoveryIsWanted;
  }

  /** The host with its calls watched. */
  watch(host: DatabaseHost): DatabaseHost {
    const sendToNode: DatabaseHost["sendToNode"] = (pnn, packet) => {
      if (packet.operation === OPERATIONS.REQ_CALL) {
        this.#passedOn(host.pnn, packet.srcnode, packet.u32(REQ_CALL_AT.HOPCOUNT));
      }
      host.sendToNode(pnn, packet);
    };
    return { ...host, sendToNode };
  }

  #passedOn(pnn: number, asker: number, hops: number): void {
    if (hops > this.mostHops && !this.#recoveryIsWanted()) this.mostHops = hops;
    if (hops < HOPS_MAX || this.#recoveryIsWanted()) return;
    this.#judge.violated(
      `a call goes round: node ${pnn} passes on one of node ${asker} that went from node to node ${hops} times, and nobody wants a recovery`,
    );
  }
}
