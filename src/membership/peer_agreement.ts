/**
 * Whether the nodes at the other ends of our links mean the same by their node numbers as we do. One with another
 * nodes list would be asked for what another node has, and answer for it: it is kept out, and the others go on.
 *
 * What tells: numbers in its packets that are not those of the two ends of the link, and its node map, which
 * every node is asked for when its connections are up. Both ends see the same difference, so both keep out.
 *
 *     member ── the first packet or the node map disagrees ──▶ kept out ── both connections up ──▶ on probation
 *       ▲                                                        ▲                                   │      │
 *       └────────────── its node map agrees ─────────────────────┼───────────────────────────────────┘      │
 *                                                                └── it disagrees, or does not answer ───────┘
 *
 * Invariants:
 * 1. A connection is looked at until a packet has said who sent it; later nonsense is a malformed packet.
 * 2. Of a node that is kept out only its node map is asked and told: nothing else that it sends is handled.
 * 3. Each reason is logged once, until it is another one or is over.
 */
import type { Logger } from "../base/log.ts";
import type { OwnControlDone } from "../control/pending_controls.ts";
import type { NodeLinks } from "../transport/node_links.ts";
import { decodeExact } from "../wire/codec.ts";
import { OPERATIONS, type PacketView } from "../wire/packet.ts";
import { nodeMap, type PeerProblem } from "../wire/structs/cluster.ts";
import { REFUSALS_MAX } from "./limits.ts";
import type { NodeTable } from "./node_table.ts";
import { nodesDifference } from "./nodes_difference.ts";

export interface PeerAgreementParts {
  readonly nodes: NodeTable;
  readonly links: Pick<NodeLinks, "keepOut" | "admit" | "retry">;
  readonly log: Logger;
  /** The first packet on a connection: who we are, and whom we take the other for. */
  introduce(pnn: number): void;
  /** GET_NODEMAP, also of a node that is not connected. */
  askNodeMap(pnn: number, done: OwnControlDone): void;
}

/**
 * How a packet of a node is to be taken. An outsider may ask and tell who is who; a stranger is somebody else
 * than it says, or means somebody else, so that even an answer would go astray.
 */
export type Standing = "member" | "outsider" | "stranger" | { readonly problem: string };

interface Problem {
  readonly text: string;
  /** Otherwise it only cannot be reached. */
  readonly keptOut: boolean;
}

const ADVICE =
  'Make the nodes lists of all nodes the same, then run "ctdb reloadnodes" or restart ctdbd where it was wrong';

export class PeerAgreement {
  readonly #p: PeerAgreementParts;
  readonly #problems = new Map<number, Problem>();
  /** Nodes whose present connection has said who they are. */
  readonly #heard = new Set<number>();
  /** Answers to earlier questions do not count. */
  readonly #questions = new Map<number, object>();

  constructor(parts: PeerAgreementParts) {
    this.#p = parts;
  }

  isKeptOut(pnn: number): boolean {
    return this.#problems.get(pnn)?.keptOut === true;
  }

  problems(): readonly PeerProblem[] {
    const texts = [...this.#problems].map(([pnn, { text }]) => ({ pnn, text }));
    return texts.sort((a, b) => a.pnn - b.pnn);
  }

  // --- what links tell

  outgoingUp(pnn: number): void {
    this.#p.introduce(pnn);
  }

  incomingUp(pnn: number): void {
    this.#heard.delete(pnn);
    this.#p.nodes.forgetVersion(pnn);
  }

  /** Both connections are up, for the first time or on probation. */
  complete(pnn: number): void {
    const question = {};
    this.#questions.set(pnn, question);
    this.#p.askNodeMap(pnn, (outcome) => {
      if (this.#questions.get(pnn) !== question) return;
      this.#questions.delete(pnn);
      const map = outcome.ok ? decodeExact(nodeMap, outcome.value.data) : undefined;
      if (map?.ok !== true) {
        if (this.isKeptOut(pnn)) this.#p.links.keepOut(pnn, "it did not tell its node map");
        return;
      }
      const difference = nodesDifference(this.#p.nodes.toWire(), map.value);
      if (difference !== undefined) this.#disagrees(pnn, difference);
      else if (this.isKeptOut(pnn)) this.#agrees(pnn);
    });
  }

  refused(pnn: number, times: number): void {
    if (this.isKeptOut(pnn)) return;
    if (times < REFUSALS_MAX) {
      if (times === 0) this.#problems.delete(pnn);
      return;
    }
    const { own } = this.#p.nodes;
    this.#note(pnn, false, [
      `${this.#name(pnn)} closes every connection at once`,
      `if it is not about to start, its nodes list does not have ${own.address}. ${ADVICE}`,
    ]);
  }

  /** Our own list is another one: everybody is looked at again. */
  reloaded(removed: readonly number[]): void {
    const { nodes, links } = this.#p;
    for (const pnn of removed) {
      this.#problems.delete(pnn);
      this.#questions.delete(pnn);
    }
    for (const pnn of this.#problems.keys()) links.retry(pnn);
    for (const pnn of nodes.connectedNodes()) if (pnn !== nodes.ownPnn) this.complete(pnn);
  }

  // --- packets

  standing(packet: PacketView, pnn: number): Standing {
    const problem = this.#numberProblem(packet, pnn);
    const known = this.#heard.has(pnn);
    if (problem !== undefined) {
      if (known && !this.isKeptOut(pnn)) return { problem };
      this.#disagrees(pnn, problem);
      return "stranger";
    }
    if (!known && namesItsSender(packet)) {
      this.#heard.add(pnn);
      this.#p.links.retry(pnn);
    }
    return this.isKeptOut(pnn) ? "outsider" : "member";
  }

  #numberProblem(packet: PacketView, pnn: number): string | undefined {
    const { nodes } = this.#p;
    const { destnode, srcnode } = packet;
    if (destnode !== nodes.ownPnn) {
      return `it takes this node for node ${destnode}, which is node ${nodes.ownPnn} in the list here`;
    }
    if (namesItsSender(packet) && srcnode !== pnn) {
      return `it says that it is node ${srcnode}, and is node ${pnn} in the list here`;
    }
    return nodes.exists(srcnode)
      ? undefined
      : `it knows a node ${srcnode}, which does not exist here`;
  }

  // --- decisions

  #disagrees(pnn: number, difference: string): void {
    this.#questions.delete(pnn);
    this.#note(pnn, true, [`${this.#name(pnn)} is kept out`, `${difference}. ${ADVICE}`]);
    this.#p.links.keepOut(pnn, "it has another nodes list");
  }

  #agrees(pnn: number): void {
    this.#problems.delete(pnn);
    this.#p.log.notice(`${this.#name(pnn)} has the same nodes list again`);
    this.#p.links.admit(pnn);
  }

  #note(pnn: number, keptOut: boolean, sentences: readonly string[]): void {
    const text = sentences.join(": ");
    if (this.#problems.get(pnn)?.text !== text) this.#p.log.error(text);
    this.#problems.set(pnn, { text, keptOut });
  }

  #name(pnn: number): string {
    return `Node ${pnn} (${this.#p.nodes.entry(pnn)?.address ?? "?"})`;
  }
}

/** Calls about records keep the number of the node that began them when they are handed on. */
function namesItsSender({ operation }: PacketView): boolean {
  return (
    operation === OPERATIONS.REQ_KEEPALIVE ||
    operation === OPERATIONS.REQ_CONTROL ||
    operation === OPERATIONS.REPLY_CONTROL
  );
}
