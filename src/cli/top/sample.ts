/**
 * One look at the counters of nodes and their databases, for `ctdb top`. A node that hangs keeps nobody waiting: what it
 * does not answer in time is left out.
 */
import type { ClientFailure } from "../../client/types.ts";
import { decodePadded } from "../../wire/codec.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import {
  type ControlName,
  type ControlReplyOf,
  type ControlRequestOf,
  PING_TURNS,
} from "../../wire/controls.ts";
import {
  type NodeAndFlags,
  type NodeTurns,
  nodeTurns,
  TURNS_MAGIC,
} from "../../wire/structs/cluster.ts";
import type { DbStatistics, Statistics } from "../../wire/structs/statistics.ts";
import { connectionLost, type Session } from "../session.ts";

export interface DatabaseSample {
  readonly id: number;
  readonly statistics: DbStatistics;
}

export interface NodeSample {
  readonly node: NodeAndFlags;
  /** undefined: not connected, or silent. */
  readonly statistics: Statistics | undefined;
  /** undefined: the node does not tell. */
  readonly turns: NodeTurns | undefined;
  readonly databases: readonly DatabaseSample[];
  readonly isSilent: boolean;
}

export interface Sample {
  readonly atMs: number;
  readonly leader: number | undefined;
  readonly generation: number | undefined;
  readonly recoveryMode: number | undefined;
  readonly nodes: readonly NodeSample[];
}

/** The leader's last broadcast is there at once from a node of ours, from Samba's within a second. */
const LEADER_GRACE_MS = 50;

export class Sampler {
  readonly #session: Session;
  readonly #onlyTarget: boolean;
  readonly #limitMs: number;
  readonly #names = new Map<number, string>();
  #nodes: readonly NodeAndFlags[] = [];

  constructor(session: Session, onlyTarget: boolean, limitMs: number) {
    this.#session = session;
    this.#onlyTarget = onlyTarget;
    this.#limitMs = Math.min(limitMs, session.timeoutMs);
  }

  nameOf(id: number): string | undefined {
    return this.#names.get(id);
  }

  async take(): Promise<Sample> {
    const session = this.#session;
    const [map, vnnMap, mode, leader] = await Promise.all([
      this.#ask("GET_NODEMAP", undefined, session.pnn),
      this.#ask("GETVNNMAP", undefined, session.target),
      this.#ask("GET_RECMODE", undefined, session.target),
      this.#leader(),
    ]);
    // A node that hangs for a moment leaves us with what it said before.
    this.#nodes = map?.data ?? this.#nodes;
    const nodes = this.#nodes.filter(
      ({ pnn, flags }) =>
        (flags & NODE_FLAGS.DELETED) === 0 && (!this.#onlyTarget || pnn === session.target),
    );
    return {
      nodes: await Promise.all(nodes.map((node) => this.#node(node))),
      leader,
      generation: vnnMap?.data.generation,
      recoveryMode: mode?.status,
      atMs: session.host.clock.monotonicMs(),
    };
  }

  async #node(node: NodeAndFlags): Promise<NodeSample> {
    const nothing = { node, statistics: undefined, turns: undefined, databases: [] };
    if ((node.flags & NODE_FLAGS.DISCONNECTED) !== 0) return { ...nothing, isSilent: false };
    const { pnn } = node;
    const [statistics, turns, databases] = await Promise.all([
      this.#ask("STATISTICS", undefined, pnn),
      this.#turns(pnn),
      this.#databases(pnn),
    ]);
    if (statistics === undefined) return { ...nothing, isSilent: true };
    return { node, statistics: statistics.data, turns, databases, isSilent: false };
  }

  async #turns(pnn: number): Promise<NodeTurns | undefined> {
    const answer = await this.#ask("PING", undefined, pnn, PING_TURNS);
    if (answer === undefined) return undefined;
    const turns = decodePadded(nodeTurns, answer.data);
    return turns.ok && turns.value.magic === TURNS_MAGIC ? turns.value : undefined;
  }

  async #databases(pnn: number): Promise<readonly DatabaseSample[]> {
    const map = await this.#ask("GET_DBMAP", undefined, pnn);
    const samples = await Promise.all(
      (map?.data ?? []).map(async ({ db_id: id }) => {
        const [statistics] = await Promise.all([
          this.#ask("GET_DB_STATISTICS", id, pnn),
          this.#learnName(id, pnn),
        ]);
        return statistics === undefined ? [] : [{ id, statistics: statistics.data }];
      }),
    );
    return samples.flat();
  }

  async #learnName(id: number, pnn: number): Promise<void> {
    if (this.#names.has(id)) return;
    const name = await this.#ask("GET_DBNAME", id, pnn);
    if (name !== undefined) this.#names.set(id, name.data);
  }

  async #leader(): Promise<number | undefined> {
    const session = this.#session;
    const heard = session.leader().catch(() => undefined);
    const answer = await Promise.race([heard, session.pause(LEADER_GRACE_MS)]);
    return typeof answer === "number" ? answer : undefined;
  }

  /** undefined: no answer in time, or a refusal. */
  async #ask<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnn: number,
    flags = 0,
  ): Promise<{ readonly status: number; readonly data: ControlReplyOf<N> } | undefined> {
    const options = { timeoutMs: this.#limitMs, flags };
    const outcome = await this.#session.attempt(name, request, pnn, options);
    if (outcome.ok) return outcome.value;
    const failure: ClientFailure = outcome.error;
    if (failure.kind === "disconnected") throw connectionLost(failure);
    return undefined;
  }
}
