/**
 * What nodes write down of their life is true, whole and kept (docs/journal.md):
 * - what is acknowledged is kept; what is kept is what was recorded, in its order, each once; what is missing is what the ring
 *   had to give up,
 * - flags, recovery mode and runstate as the events tell them are those that the node has,
 * - the leader that they tell is the one that the recovery daemon follows, once its report is there,
 * - a recovery and a takeover run that were started are there, and each that begins ends before the next,
 * - a node that becomes banned, or is not any more, has the event that says why just before.
 */
import type { JournalEvent, JournalNodeState } from "../../src/base/journal_event.ts";
import type { Daemon } from "../../src/daemon/lifecycle/daemon.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import type { JournalEntry } from "../../src/wire/journal_messages.ts";
import { UNKNOWN_PNN } from "../../src/wire/packet.ts";
import type { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import type { SimProcess } from "./scheduler.ts";
import type { Judge } from "./violation.ts";

const LOOK_MS = 250;
/** A report of a child is there by then, if both run. */
const REPORTED_MS = 10_000;

/** One start of a ctdbd, as its events tell it. */
interface Told {
  readonly node: SimNode;
  readonly daemon: Daemon;
  readonly entries: JournalEntry[];
  runstate: string;
  recovering: boolean | undefined;
  /** Undefined before the first `state`. */
  flags: Map<number, number> | undefined;
  leader: number | null;
  /** Of the recovery daemon that runs. */
  open: { recovery: boolean; takeover: boolean };
  /** How long the recovery daemon has followed another leader than this. */
  strayedSinceMs: number | undefined;
}

interface Expected {
  readonly told: Told;
  readonly recoverd: SimProcess | undefined;
  readonly from: number;
  readonly sinceMs: number;
  readonly what: string;
  is(event: JournalEvent): boolean;
}

export class JournalChecker {
  eventsSeen = 0;
  readonly #cluster: SimCluster;
  readonly #judge: Judge;
  readonly #rings = new Map<string, Told>();
  readonly #now = new Map<SimNode, Told>();
  #expected: Expected[] = [];

  constructor(cluster: SimCluster, process: SimProcess) {
    this.#cluster = cluster;
    this.#judge = cluster.judge;
    process.timers.every(LOOK_MS, () => this.#look());
  }

  /** Before it starts. */
  watch(node: SimNode, daemon: Daemon): void {
    const told: Told = {
      node,
      daemon,
      entries: [],
      runstate: "UNKNOWN",
      recovering: undefined,
      flags: undefined,
      leader: null,
      open: { recovery: false, takeover: false },
      strayedSinceMs: undefined,
    };
    const { journal } = daemon;
    this.#rings.set(journal.name, told);
    this.#now.set(node, told);
    const record = journal.record.bind(journal);
    journal.record = (event) => {
      record(event);
      this.#recorded(told);
    };
    const add = journal.add.bind(journal);
    journal.add = (entry, bytes) => {
      add(entry, bytes);
      this.#recorded(told);
    };
    const acknowledge = journal.acknowledge.bind(journal);
    journal.acknowledge = (number) => {
      this.#acknowledged(told, number);
      acknowledge(number);
    };
  }

  /** A reader has these, from `from` on; it waited for `next`. */
  kept(
    node: SimNode,
    ring: string,
    next: number,
    from: number,
    entries: readonly JournalEntry[],
  ): void {
    const told = this.#rings.get(ring);
    if (told === undefined || told.node !== node) {
      this.#violated(node, `sends events of a ring "${ring}", which it never had`);
    }
    if (from - next > told.daemon.journal.lost) {
      this.#violated(node, `has lost its events ${next} to ${from - 1} without a reason`);
    }
    for (const [at, entry] of entries.entries()) {
      const recorded = told.entries[from + at - 1];
      if (JSON.stringify(recorded) === JSON.stringify(entry)) continue;
      this.#violated(
        node,
        `sends as event ${from + at} of "${ring}" ${JSON.stringify(entry)}, recorded was ${JSON.stringify(recorded)}`,
      );
    }
    this.eventsSeen += entries.length;
  }

  recoveryStarted(node: SimNode, generation: number): void {
    this.#expect(node, `the start of its recovery to generation ${generation}`, (event) => {
      return event.kind === "recovery_started" && event.generation === generation;
    });
  }

  takeoverStarted(node: SimNode): void {
    this.#expect(node, "the start of its takeover run", ({ kind }) => kind === "takeover_started");
  }

  /** What the reader of a node does not have yet; undefined when it has all. */
  behind(node: SimNode): string | undefined {
    const journal = node.daemon?.journal;
    const reader = this.#cluster.readers[node.pnn];
    if (journal === undefined || reader === undefined) return `node ${node.pnn} does not run`;
    const { ring, kept } = reader.position;
    if (ring === journal.name && kept === journal.last) return undefined;
    return `node ${node.pnn} has event ${journal.last} of "${journal.name}", kept is ${kept} of "${ring}"`;
  }

  #acknowledged({ node, daemon }: Told, number: number): void {
    const { ring, kept } = this.#cluster.readers[node.pnn]?.position ?? { ring: "", kept: 0 };
    const limit = ring === daemon.journal.name ? kept : 0;
    if (number > limit) this.#violated(node, `drops event ${number}, kept are ${limit} of them`);
  }

  // --- what events tell

  #recorded(told: Told): void {
    const { journal } = told.daemon;
    const [entry] = journal.peek(journal.last, 1);
    // The ring may have given it up at once, being full of larger ones: none of ours is.
    if (entry === undefined) this.#violated(told.node, "has lost an event as it came");
    told.entries.push(entry);
    if (told.entries.length !== journal.last) {
      this.#violated(told.node, `gives number ${journal.last} to event ${told.entries.length}`);
    }
    this.#follow(told, entry.event);
  }

  #follow(told: Told, event: JournalEvent): void {
    switch (event.kind) {
      case "state":
        this.#becomes(told, event);
        return;
      case "runstate":
        told.runstate = event.runstate;
        return;
      case "recovery_mode":
        told.recovering = event.active;
        return;
      case "flags":
        this.#flagsChange(told, event);
        return;
      case "leader":
        if (event.before !== told.leader) {
          this.#violated(told.node, `was led by ${told.leader}, and says by ${event.before}`);
        }
        told.leader = event.after;
        return;
      case "process_started":
        if (event.process !== "recoverd") return;
        told.leader = null;
        told.open = { recovery: false, takeover: false };
        return;
      case "recovery_started":
      case "recovery_ended":
        this.#opens(told, "recovery", event.kind === "recovery_started");
        return;
      case "takeover_started":
      case "takeover_ended":
        this.#opens(told, "takeover", event.kind === "takeover_started");
        return;
      default:
        return;
    }
  }

  #becomes(told: Told, state: JournalNodeState): void {
    told.runstate = state.runstate;
    told.recovering = state.recovering;
    told.flags = new Map(state.nodes.map(({ node, flags }) => [node, flags]));
  }

  #flagsChange(told: Told, event: JournalEvent & { readonly kind: "flags" }): void {
    const { target, before, after, reason } = event;
    const known = told.flags?.get(target);
    if (known !== undefined && known !== before) {
      this.#violated(told.node, `says that node ${target} had flags ${before}, it had ${known}`);
    }
    told.flags?.set(target, after);
    if (reason === "") this.#violated(told.node, `does not say why flags of ${target} change`);
    if (target !== told.node.pnn || ((before ^ after) & NODE_FLAGS.BANNED) === 0) return;
    const wanted = (after & NODE_FLAGS.BANNED) !== 0 ? "ban" : "unban";
    const cause = told.entries.at(-2)?.event.kind;
    if (cause !== wanted)
      this.#violated(told.node, `has "${cause}" before its flags, not ${wanted}`);
  }

  #opens(told: Told, what: "recovery" | "takeover", opens: boolean): void {
    if (told.open[what] === opens) {
      this.#violated(told.node, `${opens ? "begins" : "ends"} a ${what} twice`);
    }
    told.open[what] = opens;
  }

  // --- what the node is

  #expect(node: SimNode, what: string, is: (event: JournalEvent) => boolean): void {
    const told = this.#now.get(node);
    if (told === undefined) return;
    // It may be there already.
    const from = Math.max(0, told.entries.length - 200);
    const sinceMs = this.#cluster.nowMs;
    this.#expected.push({ told, recoverd: node.recoverdProcess, from, sinceMs, what, is });
  }

  #look(): void {
    for (const [node, told] of this.#now) {
      if (node.daemon !== told.daemon || told.daemon.node === undefined) continue;
      this.#compare(node, told);
      this.#compareLeader(node, told);
    }
    this.#expected = this.#expected.filter((expected) => this.#isOpen(expected));
  }

  #compare(node: SimNode, told: Told): void {
    const own = told.daemon.node;
    if (own === undefined || told.flags === undefined) return;
    for (const { pnn, flags } of own.nodes.entries()) {
      const said = told.flags.get(pnn);
      if (said !== flags) this.#violated(node, `sees node ${pnn} ${flags}, its events say ${said}`);
    }
    const { runstate, recovering } = own.state;
    if (runstate !== told.runstate) {
      this.#violated(node, `is ${runstate}, its events say ${told.runstate}`);
    }
    if (recovering !== told.recovering) {
      this.#violated(node, `recovers: ${recovering}, its events say ${told.recovering}`);
    }
  }

  #compareLeader(node: SimNode, told: Told): void {
    const election = node.recoverd?.election;
    const { nowMs } = this.#cluster;
    const leader = election?.leader === UNKNOWN_PNN ? null : election?.leader;
    const differs = election !== undefined && !election.inProgress && leader !== told.leader;
    if (!differs || this.#sleeps(node)) {
      told.strayedSinceMs = undefined;
      return;
    }
    told.strayedSinceMs ??= nowMs;
    if (nowMs - told.strayedSinceMs < REPORTED_MS) return;
    this.#violated(node, `follows ${leader}, its events say ${told.leader}`);
  }

  #isOpen({ told, recoverd, from, sinceMs, what, is }: Expected): boolean {
    const { node } = told;
    if (told.entries.slice(from).some(({ event }) => is(event))) return false;
    const isGone = node.daemon !== told.daemon || recoverd?.alive !== true;
    if (isGone || node.recoverdProcess !== recoverd || this.#sleeps(node)) return false;
    if (this.#cluster.nowMs - sinceMs < REPORTED_MS) return true;
    this.#violated(node, `did not write down ${what}`);
  }

  #sleeps(node: SimNode): boolean {
    const isPaused = node.process?.paused === true || node.recoverdProcess?.paused === true;
    return isPaused || node.wasPausedWithin(REPORTED_MS);
  }

  #violated({ pnn }: SimNode, text: string): never {
    this.#judge.violated(`the journal of node ${pnn}: it ${text}`);
  }
}
