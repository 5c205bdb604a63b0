/**
 * One look at the cluster for `ctdb wait`: what is asked, and what was seen. Nothing is printed; what cannot be known
 * now is a sentence that says so.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { CtdbClient } from "../../client/types.ts";
import {
  NODE_FLAGS,
  NODE_FLAGS_INACTIVE,
  RECOVERY_NORMAL,
  RUNSTATES,
} from "../../wire/constants.ts";
import type { ControlName, ControlReplyOf, ControlRequestOf } from "../../wire/controls.ts";
import { INVALID_GENERATION } from "../../wire/packet.ts";
import type { NodeAndFlags } from "../../wire/structs/cluster.ts";
import { flagNames, flagsWhileStarting } from "../node_flags.ts";
import type { Seen } from "../schemas/waiting.ts";
import { activeNodes } from "../takeover_runs.ts";

/** The own node may take as long as -t says; peers are asked again soon. */
const PEER_LIMIT_MS = 1000;

export type Seeing = { -readonly [Name in keyof Seen]: Seen[Name] };

/** Of a cluster that nobody has looked at. */
export const NOTHING_SEEN: Seen = {
  node: null,
  nodes: null,
  leader: null,
  generation: null,
  addresses: null,
};

export class Look {
  readonly seen: Seeing;
  readonly #client: CtdbClient;
  readonly #limitMs: number;

  /** `leader`: as its broadcasts said; undefined while nothing was heard. */
  constructor(client: CtdbClient, limitMs: number, leader: number | undefined) {
    this.#client = client;
    this.#limitMs = limitMs;
    this.seen = { ...NOTHING_SEEN, node: client.pnn, leader: leader ?? null };
  }

  get pnn(): number {
    return this.#client.pnn;
  }

  async ask<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnn = this.pnn,
  ): Promise<Result<{ readonly status: number; readonly data: ControlReplyOf<N> }>> {
    const timeoutMs = pnn === this.pnn ? this.#limitMs : Math.min(this.#limitMs, PEER_LIMIT_MS);
    const outcome = await this.#client.control(name, request, { pnn, timeoutMs });
    if (outcome.ok) return outcome;
    const { kind, reason } = outcome.error;
    return err(kind === "timeout" ? `node ${pnn} does not answer` : `node ${pnn}: ${reason}`);
  }

  /** Without those that are deleted; as a starting node knows them. */
  async nodes(): Promise<Result<readonly NodeAndFlags[]>> {
    const [runstate, map] = await Promise.all([
      this.ask("GET_RUNSTATE", undefined),
      this.ask("GET_NODEMAP", undefined),
    ]);
    if (!runstate.ok) return runstate;
    if (!map.ok) return map;
    const isStarting = runstate.value.data <= RUNSTATES.indexOf("FIRST_RECOVERY");
    const nodes = map.value.data
      .filter(({ flags }) => (flags & NODE_FLAGS.DELETED) === 0)
      .map((node) => (isStarting ? { ...node, flags: flagsWhileStarting(node, this.pnn) } : node));
    this.seen.nodes = nodes.map(({ pnn, addr, flags }) => ({
      pnn,
      address: addr.address,
      state: flagNames(flags),
    }));
    return ok(nodes);
  }

  /** undefined: all active nodes work in the same generation. */
  async whyNotRecovered(nodes: readonly NodeAndFlags[]): Promise<string | undefined> {
    const pnns = activeNodes(nodes);
    if (pnns.length === 0) return "no node is active";
    const answers = await Promise.all(pnns.map((pnn) => this.#generationOf(pnn)));
    const problems = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]));
    if (problems.length > 0) return problems.join(", ");
    const generations = new Set(answers.map((answer) => (answer.ok ? answer.value : undefined)));
    if (generations.size > 1) return "the active nodes are in different generations";
    this.seen.generation = [...generations][0] ?? null;
    return undefined;
  }

  async #generationOf(pnn: number): Promise<Result<number>> {
    const [mode, map] = await Promise.all([
      this.ask("GET_RECMODE", undefined, pnn),
      this.ask("GETVNNMAP", undefined, pnn),
    ]);
    if (!mode.ok) return mode;
    if (!map.ok) return map;
    if (mode.value.status !== RECOVERY_NORMAL) return err(`node ${pnn} is in recovery`);
    const { generation } = map.value.data;
    return generation === INVALID_GENERATION
      ? err(`node ${pnn} waits for a recovery`)
      : ok(generation);
  }

  /** undefined: each public address is on a node that says so itself. */
  async whyNotAssigned(nodes: readonly NodeAndFlags[]): Promise<string | undefined> {
    const pnns = nodes.filter(({ flags }) => (flags & NODE_FLAGS_INACTIVE) === 0);
    if (pnns.length === 0) return "no node is active";
    const answers = await Promise.all(
      pnns.map(async ({ pnn }) => ({ pnn, ips: await this.ask("GET_PUBLIC_IPS", undefined, pnn) })),
    );
    const hosts = new Map<string, number | null>();
    const problems: string[] = [];
    for (const { pnn: from, ips } of answers) {
      if (!ips.ok) problems.push(ips.error);
      for (const { pnn, addr } of ips.ok ? ips.value.data : []) {
        if (pnn === from) hosts.set(addr.address, pnn);
        else if (!hosts.has(addr.address)) hosts.set(addr.address, null);
      }
    }
    this.seen.addresses = [...hosts].map(([address, node]) => ({ address, node }));
    const nowhere = [...hosts].filter(([, node]) => node === null).map(([address]) => address);
    if (nowhere.length > 0) problems.unshift(`on no node: ${nowhere.join(", ")}`);
    return problems.length === 0 ? undefined : problems.join("; ");
  }
}
