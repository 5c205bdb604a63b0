/**
 * Links that are missing while others are there: this node asks the others of our kind whether they see the nodes that
 * it does not, names what comes out, and stands aside when it is the one that has to (docs/recovery.md, "Links that are
 * missing"). Where all links are there, or a node is simply gone, nothing is sent but a question or two.
 *
 *     quiet ── a node is lost, or the leader is silent ──▶ asking each second ── nobody sees them ──▶ quiet
 *                                                              │        ▲
 *                                         somebody sees them, nobody has to leave ── less and less often
 *
 * Invariants:
 * 1. Standing aside is a ban of this node by itself, which ends as soon as its reason does. A ban that somebody else
 *    has ended is not begun again before the links have changed.
 * 2. A node of another make is asked and does not answer: what it sees counts for nothing.
 */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { Clock, Timer, Timers } from "../../platform/types/time.ts";
import { CONNECT_INTERVAL_MS } from "../../transport/limits.ts";
import { decodeExact, encode, u32Codec } from "../../wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../../wire/constants.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { PeerProblem } from "../../wire/structs/cluster.ts";
import {
  MISSING_LINKS_MAGIC,
  missingLinks,
  NEVER_LED,
  SEEN_NODES_MAGIC,
  seenNodes,
} from "../../wire/structs/links.ts";
import type { MessageRouter } from "../routing/message_router.ts";
import {
  GONE_MS_MIN,
  type Leaving,
  type LinkView,
  type MissedNode,
  seenBy,
  whyLeave,
} from "./link_views.ts";

const TICK_MS = 1000;
/** The leader says so each second. */
const SILENT_MS = 3000;
const VIEW_MS = 2500;
/** Until those who were asked have answered. */
const ANSWERS_MS = 200;
/** Since the links changed; afterwards it is asked less and less often. */
const URGENT_MS = 15_000;
const ASK_MS_MAX = 60_000;
/** A missing link is named when it is missing this long. */
const NAMED_AFTER_MS = 10_000;
const ASKED_MAX = 256;
/** Nodes that are asked at a time, others the next time: all nodes of a large cluster lose one that dies. */
const QUESTIONED_MAX = 16;
const START_MS = 8000;
const COME_BACK_TICKS = 4;
/** Another's question that is not asked again is forgotten. */
const TOLD_MS_MAX = 2 * ASK_MS_MAX + 10_000;

export interface MissingLinksParts {
  readonly nodes: NodeTable;
  readonly messages: Pick<MessageRouter, "listen" | "send">;
  readonly timers: Timers;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Logger;
  readonly journal: Journal;
  /** A node that is kept out for another reason has that one told. */
  isKeptOut(pnn: number): boolean;
  /** False: this node may not ban itself. */
  standAside(reason: string): boolean;
  readonly standsAside: boolean;
  /** False: not yet, or not any more. */
  comeBack(): boolean;
}

export class MissingLinks {
  readonly #p: MissingLinksParts;
  readonly #views = new Map<number, LinkView>();
  /** By the node that asked: what it misses and we see, since when, and when it said so last. */
  readonly #told = new Map<number, { missing: readonly number[]; sinceMs: number; atMs: number }>();
  readonly #lostMs = new Map<number, number>();
  readonly #goneMs = new Map<number, number>();
  readonly #upMs = new Map<number, number>();
  readonly #ledMs = new Map<number, number>();
  readonly #named = new Set<number>();
  #leader = UNKNOWN_PNN;
  #heardMs = 0;
  #packets = 0;
  #timer: Timer | undefined;
  /** Until the leader, whose link is gone, is asked for, and then until the answers are there. */
  #leaderGone: Timer | undefined;
  #removeListeners: readonly (() => void)[] = [];
  #startedMs: number;
  #changedMs: number;
  #nextAskMs = Number.POSITIVE_INFINITY;
  #intervalMs = TICK_MS;
  #asked = 0;
  /** Who was told that links are missing here. */
  readonly #questioned = new Set<number>();
  /** We asked to be aside, and somebody has ended it. */
  #overruled = false;
  #aside: Leaving | undefined;
  /** Looks in a row that found no reason to be aside. */
  #withoutReason = 0;

  constructor(parts: MissingLinksParts) {
    this.#p = parts;
    this.#startedMs = parts.clock.monotonicMs();
    this.#changedMs = this.#startedMs;
  }

  start(): void {
    const { messages, timers, clock, nodes } = this.#p;
    this.#startedMs = clock.monotonicMs();
    this.#changedMs = this.#startedMs;
    for (const pnn of nodes.configured()) {
      if (!nodes.connected(pnn)) this.#lostMs.set(pnn, this.#startedMs);
    }
    this.#removeListeners = [
      messages.listen(SRVID.LEADER, (data) => this.#heardLeader(data)),
      messages.listen(SRVID.LINKS_CHANGED, (data) => this.#came(data)),
    ];
    this.#timer = timers.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#leaderGone?.cancel();
    for (const remove of this.#removeListeners) remove();
    this.#removeListeners = [];
  }

  nodeConnected(pnn: number): void {
    this.#upMs.set(pnn, this.#p.clock.monotonicMs());
    this.#lostMs.delete(pnn);
    this.#goneMs.delete(pnn);
    this.#named.delete(pnn);
    this.#changed();
  }

  nodeLost(pnn: number): void {
    const nowMs = this.#p.clock.monotonicMs();
    this.#lostMs.set(pnn, pnn === this.#leader ? Math.min(this.#heardMs, nowMs) : nowMs);
    this.#goneMs.set(pnn, Math.max(nowMs, this.#nextAttemptMs(pnn)));
    this.#views.delete(pnn);
    this.#told.delete(pnn);
    this.#ledMs.delete(pnn);
    this.#changed();
    if (pnn === this.#leader) this.#hurry();
  }

  /** When the next attempt is due at the latest: one that was up for a moment only was made by the last one. */
  #nextAttemptMs(pnn: number): number {
    return (this.#upMs.get(pnn) ?? Number.NEGATIVE_INFINITY) + CONNECT_INTERVAL_MS;
  }

  /** For a leader that goes on without us a second is long. */
  #hurry(): void {
    const { timers, clock } = this.#p;
    const nowMs = clock.monotonicMs();
    const goneMs = this.#goneMs.get(this.#leader) ?? nowMs;
    this.#leaderGone?.cancel();
    this.#leaderGone = timers.after(goneMs - nowMs + GONE_MS_MIN, () => {
      this.#ask(this.#missed());
      this.#leaderGone = timers.after(ANSWERS_MS, () => this.#look(this.#missed()));
    });
  }

  /** Sentences for people, by the node that they are about. */
  problems(): readonly PeerProblem[] {
    const problems = [...this.#named].map((pnn) => ({ pnn, text: this.#sentence(pnn) }));
    if (this.#aside !== undefined) {
      const pnn = this.#p.nodes.ownPnn;
      problems.push({
        pnn,
        text: `This node is banned by itself because ${asideText(this.#aside)}`,
      });
    }
    const nowMs = this.#p.clock.monotonicMs();
    for (const [pnn, { missing, sinceMs }] of this.#told) {
      if (nowMs - sinceMs < NAMED_AFTER_MS) continue;
      const pairs = missing.filter((other) => pnn < other || !this.#told.has(other));
      for (const other of pairs) {
        const text = `Node ${pnn} and node ${other} cannot reach each other, and this node reaches both: look at the network between them`;
        problems.push({ pnn, text });
      }
    }
    return problems;
  }

  // --- what comes

  #heardLeader(data: Uint8Array): void {
    const leader = decodeExact(u32Codec, data);
    if (!leader.ok || leader.value === UNKNOWN_PNN) return;
    const nowMs = this.#p.clock.monotonicMs();
    this.#leader = leader.value;
    this.#heardMs = nowMs;
    if (this.#p.nodes.exists(leader.value)) this.#ledMs.set(leader.value, nowMs);
  }

  #came(data: Uint8Array): void {
    const question = decodeExact(missingLinks, data);
    if (question.ok && question.value.magic === MISSING_LINKS_MAGIC) {
      this.#answer(question.value.pnn, question.value.missing);
      return;
    }
    const answer = decodeExact(seenNodes, data);
    if (!answer.ok || answer.value.magic !== SEEN_NODES_MAGIC) {
      this.#p.log.warning("Dropped a message about missing links that cannot be read");
      return;
    }
    const { pnn, seen } = answer.value;
    if (!this.#isOther(pnn)) return;
    const nowMs = this.#p.clock.monotonicMs();
    const led = (ago: number) => (ago === NEVER_LED ? undefined : nowMs - ago);
    const entries = seen
      .slice(0, ASKED_MAX)
      .map((node) => [node.pnn, led(node.led_ms_ago)] as const);
    this.#views.set(pnn, { pnn, atMs: nowMs, seen: new Map(entries) });
  }

  #answer(pnn: number, missing: readonly number[]): void {
    const { nodes, clock, messages } = this.#p;
    if (!this.#isOther(pnn)) return;
    const nowMs = clock.monotonicMs();
    const seen = missing
      .slice(0, ASKED_MAX)
      .filter((other) => other !== pnn && this.#isOther(other));
    if (seen.length === 0) this.#told.delete(pnn);
    else {
      const before = this.#told.get(pnn);
      const sinceMs = before?.missing.join() === seen.join() ? before.sinceMs : nowMs;
      this.#told.set(pnn, { missing: seen, sinceMs, atMs: nowMs });
    }
    const answer = seen.map((other) => {
      const ledMs = this.#ledMs.get(other);
      return { pnn: other, led_ms_ago: ledMs === undefined ? NEVER_LED : Math.ceil(nowMs - ledMs) };
    });
    const message = { magic: SEEN_NODES_MAGIC, pnn: nodes.ownPnn, seen: answer };
    messages.send(pnn, SRVID.LINKS_CHANGED, encode(seenNodes, message));
  }

  #isOther(pnn: number): boolean {
    const { nodes } = this.#p;
    return nodes.exists(pnn) && pnn !== nodes.ownPnn && nodes.connected(pnn);
  }

  // --- what follows

  #changed(): void {
    const nowMs = this.#p.clock.monotonicMs();
    this.#changedMs = nowMs;
    this.#intervalMs = TICK_MS;
    this.#asked = 0;
    this.#overruled = false;
    // Nodes that start connect one after the other.
    this.#nextAskMs = Math.max(nowMs, this.#startedMs + START_MS);
  }

  #tick(): void {
    const nowMs = this.#p.clock.monotonicMs();
    for (const [pnn, { atMs }] of this.#told)
      if (nowMs - atMs > TOLD_MS_MAX) this.#told.delete(pnn);
    const missed = this.#missed();
    const silent = missed.some(({ goneMs }) => goneMs === undefined);
    if (nowMs >= this.#nextAskMs || silent || this.#aside !== undefined) this.#ask(missed);
    this.#look(missed);
  }

  #look(missed: readonly MissedNode[]): void {
    // One that was connected again, deleted or is kept out for another reason.
    for (const pnn of this.#named) {
      if (!missed.some((each) => each.pnn === pnn)) this.#named.delete(pnn);
    }
    if (missed.length === 0 && this.#aside === undefined) return;
    const nowMs = this.#p.clock.monotonicMs();
    const views = [...this.#views.values()].filter(({ atMs }) => nowMs - atMs < VIEW_MS);
    this.#standAsideOrNot(missed, views, nowMs);
    this.#name(missed, nowMs);
  }

  /** Nodes that are not connected, and a leader that is and says nothing. */
  #missed(): readonly MissedNode[] {
    const { nodes, isKeptOut } = this.#p;
    const nowMs = this.#p.clock.monotonicMs();
    const missed: MissedNode[] = [];
    for (const { pnn, flags } of nodes.entries()) {
      if ((flags & NODE_FLAGS.DELETED) !== 0 || pnn === nodes.ownPnn || isKeptOut(pnn)) continue;
      if ((flags & NODE_FLAGS.DISCONNECTED) === 0) continue;
      const sinceMs = this.#lostMs.get(pnn) ?? nowMs;
      const goneMs = this.#goneMs.get(pnn) ?? sinceMs;
      missed.push({ pnn, sinceMs, goneMs, met: this.#metBefore(pnn) });
    }
    const leader = this.#isOther(this.#leader) ? nodes.entry(this.#leader) : undefined;
    if (leader === undefined) return missed;
    // Whatever comes from it shows that it can be heard; what came is counted anew at each keepalive.
    if (leader.received > 0 && leader.received !== this.#packets) this.#heardMs = nowMs;
    this.#packets = leader.received;
    if (nowMs - this.#heardMs >= SILENT_MS) {
      missed.push({ pnn: leader.pnn, sinceMs: this.#heardMs, met: true });
    }
    return missed;
  }

  #metBefore(pnn: number): boolean {
    return pnn === this.#leader || (this.#lostMs.get(pnn) ?? 0) > this.#startedMs;
  }

  #ask(missed: readonly MissedNode[]): void {
    const { nodes, messages } = this.#p;
    const nowMs = this.#p.clock.monotonicMs();
    const views = [...this.#views.values()];
    const anybodySees = missed.some(({ pnn }) => seenBy(views, pnn).length > 0);
    const urgent = nowMs - this.#changedMs < URGENT_MS;
    if (nodes.connectedNodes().length < 2) {
      this.#nextAskMs = Number.POSITIVE_INFINITY;
      return;
    }
    const missing = missed.slice(0, ASKED_MAX).map(({ pnn }) => pnn);
    if (missing.length === 0 && this.#questioned.size === 0) {
      this.#nextAskMs = Number.POSITIVE_INFINITY;
      return;
    }
    const message = encode(missingLinks, {
      magic: MISSING_LINKS_MAGIC,
      pnn: nodes.ownPnn,
      missing,
    });
    const asked = missing.length === 0 ? [...this.#questioned] : this.#toBeAsked();
    for (const pnn of asked) messages.send(pnn, SRVID.LINKS_CHANGED, message);
    if (missing.length === 0) this.#questioned.clear();
    else for (const pnn of asked) this.#questioned.add(pnn);
    this.#asked += 1;
    const isOver = missing.length === 0 || (this.#asked > 2 && !anybodySees);
    if (!urgent) this.#intervalMs = Math.min(2 * this.#intervalMs, ASK_MS_MAX);
    this.#nextAskMs = isOver ? Number.POSITIVE_INFINITY : nowMs + this.#intervalMs;
  }

  /** From one after this node on, in a circle, so that the questions of all nodes are spread over all. */
  #toBeAsked(): readonly number[] {
    const { nodes } = this.#p;
    const others = nodes.connectedNodes().filter((pnn) => pnn !== nodes.ownPnn);
    if (others.length <= QUESTIONED_MAX) return others;
    const own = others.findIndex((pnn) => pnn > nodes.ownPnn);
    const first = Math.max(own, 0) + this.#asked * QUESTIONED_MAX;
    return Array.from(
      { length: QUESTIONED_MAX },
      (_, i) => others[(first + i) % others.length] as number,
    );
  }

  #standAsideOrNot(missed: readonly MissedNode[], views: readonly LinkView[], nowMs: number): void {
    const { nodes } = this.#p;
    const leading = this.#leader === nodes.ownPnn && nowMs - this.#heardMs < SILENT_MS;
    const silent = missed.filter(({ goneMs }) => goneMs === undefined).length;
    const connected = nodes.connectedNodes().length - 1 - silent;
    const situation = { ownPnn: nodes.ownPnn, leading, nowMs, connected, missed, views };
    const leaving = whyLeave(situation);
    const nothingMissed = missed.length === 0;
    if (this.#aside !== undefined) {
      this.#asideStill(leaving ?? this.#stillTrue(views), nothingMissed);
    } else if (leaving !== undefined && !this.#overruled && !nodes.ownInactive)
      this.#leave(leaving);
  }

  /** A leader that left for many does not lead any more: what it left for is still so. */
  #stillTrue(views: readonly LinkView[]): Leaving | undefined {
    const aside = this.#aside;
    if (aside === undefined || aside.missed.length < 2) return undefined;
    const missed = aside.missed.filter((pnn) => seenBy(views, pnn).length > 0);
    return missed.length === aside.missed.length ? aside : undefined;
  }

  #leave(leaving: Leaving): void {
    if (!this.#p.standAside(asideText(leaving))) this.#overruled = true;
    else this.#aside = leaving;
  }

  #asideStill(leaving: Leaving | undefined, nothingMissed: boolean): void {
    if (!this.#p.standsAside) {
      // Somebody has unbanned this node: who does so knows better.
      this.#aside = undefined;
      this.#overruled = true;
      return;
    }
    if (leaving !== undefined) {
      this.#aside = leaving;
      this.#withoutReason = 0;
      return;
    }
    this.#withoutReason += 1;
    // An answer that is late, or a leader that is silent for a moment, is no reason to come back.
    if (!nothingMissed && this.#withoutReason < COME_BACK_TICKS) return;
    if (this.#p.comeBack()) this.#aside = undefined;
  }

  #name(missed: readonly MissedNode[], nowMs: number): void {
    const { log, journal } = this.#p;
    const views = [...this.#views.values()];
    for (const { pnn, sinceMs, goneMs } of missed) {
      const those = seenBy(views, pnn);
      if (those.length === 0) this.#named.delete(pnn);
      if (goneMs === undefined || those.length === 0 || nowMs - sinceMs < NAMED_AFTER_MS) continue;
      if (this.#named.has(pnn)) continue;
      this.#named.add(pnn);
      log.error(this.#sentence(pnn));
      journal.record({ kind: "link_missing", peer: pnn, seen_by: those });
    }
  }

  #sentence(pnn: number): string {
    const those = nodesText(seenBy([...this.#views.values()], pnn));
    return `This node and node ${pnn} cannot reach each other, and ${those} can reach both: look at the network between the two`;
  }
}

function nodesText(pnns: readonly number[]): string {
  return `node${pnns.length === 1 ? "" : "s"} ${pnns.join(", ")}`;
}

function asideText({ missed, seenBy: those }: Leaving): string {
  return `it does not reach ${nodesText(missed)}, and ${nodesText(those)} can reach both: it stands aside until it does`;
}
