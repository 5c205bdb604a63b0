/**
 * Which other nodes may have copies of a record in this generation.
 *
 * Invariant: a node that was a member of this generation and is out of reach is not forgotten: it may
 * come back with what it has, and then its old copies would count in a recovery. Until it is back, or a
 * recovery has made a new generation without it, nobody can say that all copies of a record are gone.
 * (A stopped or banned node is no holder: its records are invalid from that moment. But only as long as we
 * hear from it, and not if it is in the vnn map: what we know of it may then be older than the recovery that
 * made the map, and the one that leaves it out follows soon; if it does not follow, its records count again.)
 *
 * A node that we cannot reach may be a member by way of others, without the lmaster role and so without a
 * place in the vnn map: they are asked whom they see.
 */
import type { TypeOf } from "../../wire/codec.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { nodeMap } from "../../wire/structs/cluster.ts";
import type { DatabaseHost } from "../host.ts";

/** Of a node whose records are invalid. */
export const WORTHLESS = NODE_FLAGS.BANNED | NODE_FLAGS.STOPPED | NODE_FLAGS.DELETED;

type NodeMap = TypeOf<typeof nodeMap>;

export class LostHolders {
  readonly #host: DatabaseHost;
  readonly #lost = new Set<number>();
  #generation = 0;

  constructor(host: DatabaseHost) {
    this.#host = host;
  }

  nodeLost(pnn: number): void {
    this.#renew();
    if ((this.#host.nodeFlags(pnn) & WORTHLESS) === 0) this.#lost.add(pnn);
  }

  /** undefined: one of them cannot be asked now. */
  others(): readonly number[] | undefined {
    this.#renew();
    const host = this.#host;
    const active = host.activeNodes();
    const mayCount = (pnn: number): boolean =>
      host.vnnMap().includes(pnn) ? !this.#isDeleted(pnn) : !this.#isWorthless(pnn);
    const isMissing = (pnn: number): boolean => !active.includes(pnn) && mayCount(pnn);
    if ([...this.#lost, ...host.vnnMap()].some(isMissing)) return undefined;
    return active.filter((pnn) => pnn !== host.pnn);
  }

  /** Others must be asked whom they see. */
  get someoneIsAway(): boolean {
    return this.#host.nodes().some((pnn) => !this.#host.nodeConnected(pnn));
  }

  /** A node that another one sees and that may have copies, and that we cannot reach. */
  hidden(seen: NodeMap): number | undefined {
    const isHidden = ({ pnn, flags }: NodeMap[number]): boolean =>
      (flags & (WORTHLESS | NODE_FLAGS.DISCONNECTED)) === 0 && !this.#host.nodeConnected(pnn);
    return seen.find(isHidden)?.pnn;
  }

  /** What we know of a node that is not connected may be old: it may have gone on since. */
  #isWorthless(pnn: number): boolean {
    if (this.#isDeleted(pnn)) return true;
    const flags = this.#host.nodeFlags(pnn);
    return (flags & WORTHLESS) !== 0 && (flags & NODE_FLAGS.DISCONNECTED) === 0;
  }

  #isDeleted(pnn: number): boolean {
    return (this.#host.nodeFlags(pnn) & NODE_FLAGS.DELETED) !== 0;
  }

  #renew(): void {
    const generation = this.#host.generation();
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#lost.clear();
  }
}
