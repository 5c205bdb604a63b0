/**
 * Questions to other nodes by commands that only show: a peer that hangs keeps nobody waiting. What the own node
 * knows is shown in its place, and standard error says so, and how old that is; standard output stays as scripts
 * know it.
 */
import { type Codec, decodePadded } from "../wire/codec.ts";
import { CAPABILITIES, NODE_FLAGS } from "../wire/constants.ts";
import {
  type ControlReplyOf,
  type ControlRequestOf,
  PING_HEALTH,
  PING_OPTIONS,
  PING_STANDING,
} from "../wire/controls.ts";
import { HEALTH_BYTES_MAX, OPTIONS_BYTES_MAX, STANDING_BYTES_MAX } from "../wire/limits.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import {
  HEALTH_MAGIC,
  type NodeAndFlags,
  type NodeHealth,
  type NodeKnowledge,
  type NodeStanding,
  nodeHealth,
  nodeStanding,
  OPTIONS_MAGIC,
  runningOptions,
  STANDING_MAGIC,
} from "../wire/structs/cluster.ts";
import { knowledgeOf, problemsIn } from "./node_knowledge.ts";
import type { Session } from "./session.ts";

/** With what comes before and after, the command ends within 100 ms. */
const PEER_GRACE_MS = 50;

/** What is asked in this way. */
type Question = "GET_IFACES" | "GET_NODEMAP" | "GET_PUBLIC_IPS" | "GET_PUBLIC_IP_INFO";

export class Peers {
  readonly #session: Session;
  readonly #silent = new Set<number>();
  #knowledge: Promise<NodeKnowledge | undefined> | undefined;
  #leaderAgeMs: number | undefined;

  #refusal = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The exit status of the first refusal; 0 when there was none. */
  get refusal(): number {
    return this.#refusal;
  }

  /** The answer of a node; undefined when it does not come soon, or is a refusal, which was printed. */
  async ask<N extends Question>(
    name: N,
    pnn: number,
    request: ControlRequestOf<N>,
  ): Promise<ControlReplyOf<N> | undefined> {
    const session = this.#session;
    const isPeer = pnn !== session.pnn;
    const limitMs = isPeer ? Math.min(PEER_GRACE_MS, session.timeoutMs) : session.timeoutMs;
    const outcome = await session.attempt(name, request, pnn, { timeoutMs: limitMs });
    if (outcome.ok) return outcome.value.data;
    if (isPeer && outcome.error.kind === "timeout") this.#silent.add(pnn);
    else this.#refusal ||= session.complain(name, pnn, outcome.error);
    return undefined;
  }

  /**
   * The leader as it says itself or, when it is silent, as the own node last heard. An election can be waited
   * for, within the time limit. A node that does not tell (Samba's) leaves only waiting for the next broadcast.
   */
  async leader(election: "waits" | "unknown"): Promise<number | undefined> {
    const session = this.#session;
    const broadcast = session.leader().then((pnn) => ({ pnn }));
    const soon = await Promise.race([broadcast, session.pause(PEER_GRACE_MS)]);
    if (soon !== undefined) return soon.pnn;
    const known = await this.#ownKnowledge();
    if (known !== undefined && known.leader !== UNKNOWN_PNN) {
      this.#leaderAgeMs = known.leader_age;
      return known.leader;
    }
    return known === undefined || election === "waits" ? (await broadcast).pnn : undefined;
  }

  /**
   * Why nodes are kept out, where the own node knows. A request that the original does not make; it is made only
   * when a node is not connected.
   */
  async problems(nodes: readonly NodeAndFlags[]): Promise<readonly string[]> {
    const gone = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED;
    if (nodes.every(({ flags }) => (flags & gone) !== NODE_FLAGS.DISCONNECTED)) return [];
    const known = await this.#ownKnowledge();
    return problemsIn(known).map(({ text }) => text);
  }

  /** The same of one node. */
  async problemsOf(pnn: number): Promise<readonly string[]> {
    const known = await this.#ownKnowledge();
    const problems = problemsIn(known).filter((each) => each.pnn === pnn);
    return problems.map(({ text }) => text);
  }

  /**
   * Why a peer is unhealthy, as it knows itself. A node that does not tell (Samba's), or whose answer is not what
   * was asked for, says nothing; one that is silent is named by `explain`.
   */
  async health(pnn: number): Promise<NodeHealth | "says nothing" | "silent"> {
    const answer = { codec: nodeHealth, magic: HEALTH_MAGIC, bytesMax: HEALTH_BYTES_MAX };
    return (await this.#told(pnn, PING_HEALTH, answer)) ?? "says nothing";
  }

  /** Why nodes have their flags, as a node knows; undefined of one that does not tell soon. */
  async standing(pnn: number): Promise<NodeStanding | undefined> {
    const answer = { codec: nodeStanding, magic: STANDING_MAGIC, bytesMax: STANDING_BYTES_MAX };
    const told = await this.#told(pnn, PING_STANDING, answer);
    return told === "silent" ? undefined : told;
  }

  /** What a node runs with that is not the default, by option; undefined of one that does not tell soon. */
  async options(pnn: number): Promise<ReadonlyMap<string, string> | undefined> {
    const answer = { codec: runningOptions, magic: OPTIONS_MAGIC, bytesMax: OPTIONS_BYTES_MAX };
    const told = await this.#told(pnn, PING_OPTIONS, answer);
    if (told === undefined || told === "silent") return undefined;
    return new Map(told.options.map(({ path, text }) => [path, text]));
  }

  /** Whether a node takes records as an lmaster; undefined of one that does not tell soon. */
  async isLmaster(pnn: number): Promise<boolean | undefined> {
    const timeoutMs = Math.min(PEER_GRACE_MS, this.#session.timeoutMs);
    const answer = await this.#session.attempt("GET_CAPABILITIES", undefined, pnn, { timeoutMs });
    return answer.ok ? (answer.value.data & CAPABILITIES.LMASTER) !== 0 : undefined;
  }

  /** Values of all tunables, in the order of their table; undefined of a node that does not tell soon. */
  async tunables(pnn: number): Promise<readonly number[] | undefined> {
    const timeoutMs = Math.min(PEER_GRACE_MS, this.#session.timeoutMs);
    const answer = await this.#session.attempt("GET_ALL_TUNABLES", undefined, pnn, { timeoutMs });
    return answer.ok ? answer.value.data : undefined;
  }

  /** Undefined of a node that does not know the flag of PING, or answers something else. */
  async #told<T extends { readonly magic: number }>(
    pnn: number,
    flags: number,
    expected: { readonly codec: Codec<T>; readonly magic: number; readonly bytesMax: number },
  ): Promise<T | "silent" | undefined> {
    const session = this.#session;
    const timeoutMs = Math.min(PEER_GRACE_MS, session.timeoutMs);
    const answer = await session.attempt("PING", undefined, pnn, { timeoutMs, flags });
    if (!answer.ok) {
      if (answer.error.kind !== "timeout") return undefined;
      this.#silent.add(pnn);
      return "silent";
    }
    const { data } = answer.value;
    const told = data.length > expected.bytesMax ? undefined : decodePadded(expected.codec, data);
    return told?.ok === true && told.value.magic === expected.magic ? told.value : undefined;
  }

  /** Says of everything that is not from the node itself how old it is. */
  async explain(): Promise<void> {
    const { host, pnn: own } = this.#session;
    if (this.#silent.size > 0) {
      const known = await this.#ownKnowledge();
      for (const pnn of [...this.#silent].sort((a, b) => a - b)) {
        const heardMs = known?.heard[pnn];
        const age = heardMs === undefined ? "of unknown age" : `at most ${seconds(heardMs)} old`;
        host.err(`Node ${pnn} has not answered: shown is what node ${own} knows of it, ${age}\n`);
      }
    }
    if (this.#leaderAgeMs === undefined) return;
    const age = `${seconds(this.#leaderAgeMs)} old`;
    host.err(`The leader is not heard: shown is what node ${own} knows of it, ${age}\n`);
  }

  #ownKnowledge(): Promise<NodeKnowledge | undefined> {
    this.#knowledge ??= knowledgeOf(this.#session, this.#session.pnn);
    return this.#knowledge;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
