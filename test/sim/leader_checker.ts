/**
 * Who acts as leader has the right to, as far as it can know: its election says that it
 * leads and, with a cluster lock, it holds the lock. Judged when something is done, not when it is
 * decided:
 * - a recovery is started,
 * - LEADER is broadcast with the own pnn,
 * - a coordinator sends a control that changes other nodes.
 *
 * (While an election is under way the node that is ahead counts as leader, and goes on with a
 * recovery.)
 *
 * A holder may not have heard yet that its lock was taken away; it acts in good faith until it is
 * told (or, paused, until it runs again). What must not be is that two act in good faith for long.
 */
import { u64Equal } from "../../src/base/u64.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { pnnText } from "../../src/cluster/election.ts";
import { decodePadded, u32Codec } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import type { ControlName } from "../../src/wire/controls.ts";
import type { SimNode } from "./node.ts";
import type { SimProcess } from "./scheduler.ts";
import type { Judge } from "./violation.ts";

/** Controls by which a coordinator changes a node. */
const ACTS: ReadonlySet<ControlName> = new Set([
  "SET_RECMODE",
  "START_RECOVERY",
  "SETVNNMAP",
  "DB_FREEZE",
  "DB_TRANSACTION_START",
  "WIPE_DATABASE",
  "DB_TRANSACTION_COMMIT",
  "DB_THAW",
  "END_RECOVERY",
] as const);

/**
 * Who is stopped or banned says so often, at most, that it leads: once a second until its recovery daemon has looked, with
 * the longest interval and an answer that is late.
 */
const INACTIVE_BROADCASTS_MAX = 15;

export class LeaderChecker {
  actsSeen = 0;
  /** How often in a row a node has said that it leads while it was inactive. */
  readonly #inactiveBroadcasts = new Map<number, number>();
  readonly #judge: Judge;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** Also: a recovery is started. */
  judge(node: SimNode, what: string): void {
    this.actsSeen += 1;
    const election = node.recoverd?.election;
    const lock = node.clusterLock;
    if (election === undefined) {
      this.#judge.violated(`${what} by node ${node.pnn}, whose recovery daemon is dead`);
    }
    if (lock !== undefined && !lock.held) {
      this.#judge.violated(`${what} by node ${node.pnn} without the cluster lock`);
    }
    if (!election.leading) {
      const leader = pnnText(election.leader);
      this.#judge.violated(`${what} by node ${node.pnn}, for which ${leader} is the leader`);
    }
  }

  /** The client of a recovery daemon, and its ctdbd: when that is dead nobody hears what is sent. */
  watchBroadcasts(node: SimNode, client: CtdbClient, ctdbd: SimProcess): void {
    const send = client.sendMessage.bind(client);
    client.sendMessage = (pnn, srvid, data) => {
      if (u64Equal(srvid, SRVID.LEADER)) {
        const leader = decodePadded(u32Codec, data);
        const claims = leader.ok && leader.value === node.pnn;
        if (claims && ctdbd.alive) {
          this.judge(node, "LEADER broadcast");
          this.#judgeStanding(node, ctdbd);
        }
      }
      send(pnn, srvid, data);
    };
  }

  /** A paused ctdbd cannot tell its recovery daemon what became of the node. */
  #judgeStanding(node: SimNode, ctdbd: SimProcess): void {
    const before = this.#inactiveBroadcasts.get(node.pnn) ?? 0;
    const count = node.inactive && !ctdbd.paused ? before + 1 : 0;
    this.#inactiveBroadcasts.set(node.pnn, count);
    if (count <= INACTIVE_BROADCASTS_MAX) return;
    this.#judge.violated(`node ${node.pnn} leads on although it is stopped or banned`);
  }

  /** The client of a recovery helper. */
  watchCoordinator(node: SimNode, client: CtdbClient, generation: number): void {
    const control = client.control.bind(client);
    client.control = (name, request, options) => {
      if (ACTS.has(name)) this.judge(node, `${name} in the recovery to generation ${generation}`);
      return control(name, request, options);
    };
  }
}
