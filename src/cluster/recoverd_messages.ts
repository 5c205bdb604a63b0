/**
 * The messages that a recovery daemon listens to (docs/recovery.md, "Messages"), decoded and
 * handed on. A message that does not decode is logged and dropped.
 */
import type { Logger } from "../base/log.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type U64, U64_ZERO, u64Equal } from "../base/u64.ts";
import type { CtdbClient } from "../client/types.ts";
import { leaseRequest } from "../lock/quorum/lease_message.ts";
import { type Codec, decodePadded, encode, i32Codec, textBytes, u32Codec } from "../wire/codec.ts";
import { SRVID } from "../wire/constants.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import {
  disableMessage,
  electionMessage,
  type FlagChange,
  flagChange,
  type NodeAndFlags,
  srvidMessage,
} from "../wire/structs/cluster.ts";
import type { Election } from "./election.ts";
import type { LeaseVotes } from "./lease_votes.ts";
import type { OperationGate } from "./operation_gate.ts";
import { connectedNodes } from "./snapshot.ts";
import type { TakeoverRuns } from "./takeover_runs.ts";

/** What a disabled operation answers while it runs: an errno, negative. */
const EAGAIN = -11;

/** What messages act on. */
export interface MessageTargets {
  readonly election: Election;
  readonly takeoverRuns: TakeoverRuns;
  readonly recoveries: OperationGate;
  /** As our ctdbd last told. */
  nodes(): readonly NodeAndFlags[];
  requestTimeoutMs(): number;
  /** Looks at the cluster now instead of at the next interval. */
  look(): void;
  readonly votes: LeaseVotes;
  memoryReport(): string;
  /** A node that makes takeover runs fail; worth as many credits as there are nodes. */
  blameAll(pnn: number): void;
}

export async function registerMessages(
  client: CtdbClient,
  log: Logger,
  targets: MessageTargets,
): Promise<Result<readonly { remove(): void }[]>> {
  const handlers = new Handlers(client, log, targets);
  const outcomes = await Promise.all(
    handlers.table().map(([srvid, handler]) => client.registerSrvid(srvid, handler)),
  );
  const subscriptions: { remove(): void }[] = [];
  let problem: string | undefined;
  for (const outcome of outcomes) {
    if (outcome.ok) subscriptions.push(outcome.value);
    else problem ??= outcome.error.reason;
  }
  if (problem === undefined) return ok(subscriptions);
  for (const subscription of subscriptions) subscription.remove();
  return err(`Cannot listen to the messages of the recovery daemon: ${problem}`);
}

class Handlers {
  readonly #client: CtdbClient;
  readonly #log: Logger;
  readonly #targets: MessageTargets;

  constructor(client: CtdbClient, log: Logger, targets: MessageTargets) {
    this.#client = client;
    this.#log = log;
    this.#targets = targets;
  }

  table(): readonly (readonly [U64, (data: Uint8Array, from: number) => void])[] {
    const { election, takeoverRuns, recoveries, look, blameAll } = this.#targets;
    return [
      [
        SRVID.LEADER,
        this.#decoded("LEADER", u32Codec, (pnn, from) => election.heardLeader(pnn, from)),
      ],
      [
        SRVID.ELECTION,
        this.#decoded("ELECTION", electionMessage, (message) => election.heardElection(message)),
      ],
      [
        SRVID.BANNING,
        this.#decoded("BANNING", u32Codec, (pnn) => {
          if (election.leading) blameAll(pnn);
        }),
      ],
      [
        SRVID.TAKEOVER_RUN,
        this.#decoded("TAKEOVER_RUN", srvidMessage, (from) => {
          // Everybody gets these; who follows a leader leaves them to it.
          if (!election.leading && !election.inProgress) return;
          takeoverRuns.request(from);
          look();
        }),
      ],
      [
        SRVID.REBALANCE_NODE,
        this.#decoded("REBALANCE_NODE", u32Codec, (pnn) => {
          if (election.leading) takeoverRuns.addRebalance(pnn);
        }),
      ],
      [SRVID.DISABLE_TAKEOVER_RUNS, this.#disabling("DISABLE_TAKEOVER_RUNS", takeoverRuns.gate)],
      [SRVID.DISABLE_RECOVERIES, this.#disabling("DISABLE_RECOVERIES", recoveries)],
      [
        SRVID.DISABLE_IP_CHECK,
        this.#decoded("DISABLE_IP_CHECK", u32Codec, (seconds) => {
          takeoverRuns.gate.disable(seconds);
        }),
      ],
      [
        SRVID.PUSH_NODE_FLAGS,
        this.#decoded("PUSH_NODE_FLAGS", flagChange, (change) => this.#pushFlags(change)),
      ],
      [SRVID.SET_NODE_FLAGS, () => this.#log.warning("Message SET_NODE_FLAGS is obsolete")],
      [
        SRVID.LOCK_LEASE,
        this.#decoded("LOCK_LEASE", leaseRequest, (request) => this.#targets.votes.heard(request)),
      ],
      // The nodes file is ctdbd's; what it read shows in the next node map.
      [SRVID.RELOAD_NODES, () => look()],
      [SRVID.MEM_DUMP, this.#decoded("MEM_DUMP", srvidMessage, (to) => this.#dumpMemory(to))],
    ];
  }

  #decoded<T>(name: string, codec: Codec<T>, action: (value: T, from: number) => void) {
    return (data: Uint8Array, from: number): void => {
      // A copy: what is decoded may be kept, the bytes are the connection's.
      const value = decodePadded(codec, data.slice());
      if (value.ok) action(value.value, from);
      else
        this.#log.error(`Cannot decode a message ${name} of ${data.length} bytes: ${value.error}`);
    };
  }

  #disabling(name: string, gate: OperationGate) {
    return this.#decoded(name, disableMessage, ({ pnn, srvid, timeout }, from) => {
      // A tool waits until it is disabled; a leader that begins with it itself does not.
      const isLeaders = u64Equal(srvid, U64_ZERO);
      const disabled = gate.disable(timeout, isLeaders ? from : undefined) === "done";
      if (isLeaders) return;
      const result = disabled ? this.#client.pnn : EAGAIN;
      this.#client.sendMessage(pnn, srvid, encode(i32Codec, result));
    });
  }

  /** ctdbd noticed a change of its own flags; everybody connected is to know. */
  async #pushFlags(change: FlagChange): Promise<void> {
    const timeoutMs = this.#targets.requestTimeoutMs();
    const leader = this.#targets.election.leader;
    const asked = leader === UNKNOWN_PNN ? this.#client.pnn : leader;
    const options = { pnn: asked, timeoutMs };
    const map = await this.#client.control("GET_NODEMAP", undefined, options);
    if (!map.ok) this.#log.warning(`GET_NODEMAP on node ${asked}: ${map.error.reason}`);
    const nodes = map.ok ? map.value.data : this.#targets.nodes();
    const targets = connectedNodes(nodes);
    const outcomes = await this.#client.controlEach("MODIFY_FLAGS", change, targets, { timeoutMs });
    for (const [pnn, outcome] of outcomes) {
      if (!outcome.ok) this.#log.error(`MODIFY_FLAGS on node ${pnn}: ${outcome.error.reason}`);
    }
  }

  #dumpMemory(to: { readonly pnn: number; readonly srvid: U64 }): void {
    this.#log.notice("recovery daemon memory dump");
    this.#client.sendMessage(to.pnn, to.srvid, textBytes(this.#targets.memoryReport()));
  }
}
