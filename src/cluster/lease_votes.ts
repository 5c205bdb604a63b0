/**
 * The vote of this node for the cluster lock by majority, whatever its own lock is: helpers of any node ask for it. It is
 * given by the recovery daemon, which starts with a lease in which it gives none.
 */
import type { Logger } from "../base/log.ts";
import type { CtdbClient } from "../client/types.ts";
import { Grantor } from "../lock/quorum/grantor.ts";
import {
  holderText,
  LEASE_KINDS,
  LEASE_VERSION,
  type LeaseRequest,
  leaseAnswer,
  nodesHash,
  voteNumbers,
} from "../lock/quorum/lease_message.ts";
import type { Clock } from "../platform/types/time.ts";
import { encode } from "../wire/codec.ts";
import type { OwnView } from "./own_view.ts";

export interface LeaseVotesHost {
  readonly client: CtdbClient;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Logger;
  readonly view: OwnView;
}

export class LeaseVotes {
  readonly #host: LeaseVotesHost;
  readonly #grantor: Grantor;
  #toldOtherNodes = false;

  constructor(host: LeaseVotesHost) {
    this.#host = host;
    this.#grantor = new Grantor(host.clock.monotonicMs());
  }

  heard({ holder, answer, version, kind, round, pnn, nodes_hash }: LeaseRequest): void {
    const { client, clock, log, view } = this.#host;
    if (version !== LEASE_VERSION) {
      log.info(`Node ${pnn} asks for a vote in version ${version}, expected ${LEASE_VERSION}`);
      return;
    }
    const name = holderText(holder);
    if (kind === LEASE_KINDS.release) this.#grantor.release(name);
    if (kind !== LEASE_KINDS.request) return;
    const request = { holder: name, pnn, nodesHash: nodes_hash };
    const vote = this.#grantor.request(request, nodesHash(view.nodes), clock.monotonicMs());
    if (vote.kind === "other nodes" && !this.#toldOtherNodes) {
      log.warning(
        `Node ${pnn} asks for the cluster lock with another list of nodes than this node's`,
      );
    }
    this.#toldOtherNodes = vote.kind === "other nodes";
    const numbers = { holder, version, round, pnn: client.pnn, ...voteNumbers(vote) };
    client.sendMessage(pnn, answer, encode(leaseAnswer, numbers));
  }
}
