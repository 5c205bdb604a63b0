/**
 * The own ctdbd as the API asks it (admin/parts.ts).
 *
 * 1. Every question has a limit; a node that hangs is one that does not answer.
 * 2. Of what `ctdb doctor` looks at on this machine, files and processes, a look takes what was found lately: only what
 *    daemons say is asked each time.
 */
import { KeptAnswer } from "../admin/kept_answer.ts";
import { OWN_QUESTION_MS_MAX, OWN_STATE_MS_OLD } from "../admin/limits.ts";
import { NodeFactsQuestion } from "../admin/node_facts_question.ts";
import type { Daemon, OwnState } from "../admin/parts.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { CtdbClient } from "../client/types.ts";
import type { Clock, Random, Timers } from "../platform/types/time.ts";
import { decodePadded } from "../wire/codec.ts";
import { RECOVERY_NORMAL, RUNSTATES } from "../wire/constants.ts";
import { PING_KNOWLEDGE } from "../wire/controls.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import { nodeKnowledge } from "../wire/structs/cluster.ts";
import type { AdmindLook } from "./admind_look.ts";
import type { LoadHost } from "./admind_tool.ts";

export interface AdmindDaemonParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly loadHost: LoadHost;
  client(): CtdbClient | undefined;
  node(): number | undefined;
}

export class AdmindDaemon implements Daemon {
  readonly #d: AdmindDaemonParts;
  readonly #own: KeptAnswer<Result<OwnState>>;
  readonly #facts: NodeFactsQuestion;
  /** Loaded with the first look. */
  #look: Promise<AdmindLook> | undefined;
  #silentSinceMs: number | undefined;

  constructor(parts: AdmindDaemonParts) {
    this.#d = parts;
    this.#silentSinceMs = parts.clock.monotonicMs();
    this.#own = new KeptAnswer(() => this.#askOwn(), parts.clock, OWN_STATE_MS_OLD);
    this.#facts = new NodeFactsQuestion(parts.timers, parts.random);
  }

  get node(): number | undefined {
    return this.#d.node();
  }

  get silentSinceMs(): number | undefined {
    return this.#silentSinceMs;
  }

  connected(client: CtdbClient): void {
    void this.#facts.listen(client);
  }

  ownState(): Promise<Result<OwnState>> {
    return this.#own.get();
  }

  nodeFacts(): ReturnType<Daemon["nodeFacts"]> {
    return this.#facts.ask();
  }

  async look(): ReturnType<Daemon["look"]> {
    const client = this.#d.client();
    if (client === undefined) return err(NOT_CONNECTED);
    this.#look ??= this.#loadLook();
    try {
      return await (await this.#look).take(client);
    } catch (error) {
      // Commands of the tool end so when the connection does.
      return err(`the cluster could not be looked at: ${(error as Error).message}`);
    }
  }

  async #loadLook(): Promise<AdmindLook> {
    const [host, { AdmindLook }] = await Promise.all([
      this.#d.loadHost(),
      import("./admind_look.ts"),
    ]);
    return new AdmindLook({ host, nodeFacts: () => this.nodeFacts() });
  }

  async #askOwn(): Promise<Result<OwnState>> {
    const client = this.#d.client();
    const state = client === undefined ? err(NOT_CONNECTED) : await ownState(client);
    const nowMs = this.#d.clock.monotonicMs();
    this.#silentSinceMs = state.ok ? undefined : (this.#silentSinceMs ?? nowMs);
    return state;
  }
}

const NOT_CONNECTED = "ctdbd is not connected";

async function ownState(client: CtdbClient): Promise<Result<OwnState>> {
  const options = { pnn: client.pnn, timeoutMs: OWN_QUESTION_MS_MAX };
  const [map, runstate, mode, ping] = await Promise.all([
    client.control("GET_NODEMAP", undefined, options),
    client.control("GET_RUNSTATE", undefined, options),
    client.control("GET_RECMODE", undefined, options),
    client.control("PING", undefined, { ...options, flags: PING_KNOWLEDGE }),
  ]);
  for (const said of [map, runstate, mode, ping]) {
    if (!said.ok) return err(`ctdbd does not answer: ${said.error.reason}`);
  }
  if (!map.ok || !runstate.ok || !mode.ok || !ping.ok) return err("ctdbd does not answer");
  const own = map.value.data.find(({ pnn }) => pnn === client.pnn);
  if (own === undefined) return err("the node is none of its own list");
  const known = decodePadded(nodeKnowledge, ping.value.data);
  const leader = known.ok && known.value.leader !== UNKNOWN_PNN ? known.value.leader : null;
  return ok({
    node: client.pnn,
    runstate: RUNSTATES[runstate.value.data] ?? "UNKNOWN",
    recovering: mode.value.status !== RECOVERY_NORMAL,
    flags: own.flags,
    leader,
  });
}
