/**
 * ctdb_mutex_quorum_helper [--tiebreak PNN]: holds the cluster lock by the votes of more than half of the nodes
 * (lock/quorum/), which need no place outside of the cluster for it. A client of its own ctdbd.
 *
 * When the lock is lost, this process ends before it does anything else: that is how its parent learns of it.
 */
import { parseArgs } from "node:util";
import { parseWhole } from "../base/c_number.ts";
import { err, ok, type Result } from "../base/result.ts";
import { u64 } from "../base/u64.ts";
import { connectClient } from "../client/ctdb_client.ts";
import type { CtdbClient } from "../client/types.ts";
import { resolvePaths } from "../config/paths.ts";
import {
  holderNumber,
  holderText,
  LEASE_KINDS,
  LEASE_VERSION,
  leaseAnswer,
  leaseRequest,
  memberNodes,
  nodesHash,
  voteOf,
} from "../lock/quorum/lease_message.ts";
import { QuorumLock } from "../lock/quorum/quorum_lock.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { BootClock, SystemRandom } from "../platform/node/clock.ts";
import { decodePadded, encode } from "../wire/codec.ts";
import { SRVID } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { tellHeld } from "./mutex_proof.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import { watchParent } from "./parent_watch.ts";
import type { Role } from "./role.ts";

const NAME = "ctdb_mutex_quorum_helper";
const USAGE = `Usage: ${NAME} [--tiebreak PNN]

Takes the cluster lock by the votes of the nodes: more than half of them. Writes 0 when it has it, 1 when
another node holds it, 2 when too few nodes answer, 3 on an error. Then it holds the lock until it is
terminated, its parent or ctdbd ends, or it could not renew it.

  --tiebreak PNN  the node whose vote counts twice when the number of nodes is even; two nodes need one
`;

const CONNECT_TIMEOUT_MS = 5000;
const PNN_MAX = 0x7fffffff;
/** Upper half of the srvid that answers come to; the lower one is drawn. */
const ANSWER_SRVID = 0xdc04_0001;

export const role: Role = {
  async run(args) {
    if (args[0] === "--help") {
      printOut(USAGE);
      return 0;
    }
    const tiebreak = parse(args);
    if (!tiebreak.ok) {
      printErr(`${NAME}: ${tiebreak.error}\n${USAGE}`);
      return 1;
    }
    return await holdLock(tiebreak.value);
  },
};

function parse(args: readonly string[]): Result<number | undefined> {
  try {
    const { values } = parseArgs({ args: [...args], options: { tiebreak: { type: "string" } } });
    if (values.tiebreak === undefined) return ok(undefined);
    const pnn = parseWhole(values.tiebreak, PNN_MAX);
    if (pnn !== undefined) return ok(pnn);
    return err(`--tiebreak: expected the number of a node, got "${values.tiebreak}"`);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

async function holdLock(tiebreak: number | undefined): Promise<number> {
  const parent = process.ppid;
  const loop = new EventLoop();
  const joined = await join(loop, tiebreak);
  if (!joined.ok) {
    printOut("3");
    // A connection that is open would keep it alive.
    process.exit(complain(joined.error));
  }
  const { client, nodes } = joined.value;
  const random = new SystemRandom();
  const answer = u64(ANSWER_SRVID, random.u32());
  const hash = nodesHash(nodes);
  const lock = new QuorumLock({
    clock: new BootClock(),
    timers: loop,
    random,
    nodes: memberNodes(nodes).map(({ pnn }) => pnn),
    tiebreak,
    ask(kind, holder, round) {
      const request = {
        holder: holderNumber(holder),
        answer,
        version: LEASE_VERSION,
        kind: LEASE_KINDS[kind],
        round,
        pnn: client.pnn,
        nodes_hash: hash,
      };
      const bytes = encode(leaseRequest, request);
      for (const { pnn } of memberNodes(nodes)) client.sendMessage(pnn, SRVID.LOCK_LEASE, bytes);
    },
  });
  const release = (status: number) => {
    lock.release();
    // Writes what is queued.
    client.close();
    process.exit(status);
  };
  process.once("SIGTERM", () => release(0));
  process.once("SIGINT", () => release(0));
  watchParent(loop, () => release(0), parent);
  client.onDisconnect(() => process.exit(complain("lock lost: ctdbd has ended")));
  const registered = await client.registerSrvid(answer, (data) => {
    const heard = decodePadded(leaseAnswer, data.slice());
    if (!heard.ok || heard.value.version !== LEASE_VERSION) return;
    const { holder, pnn, round, vote, other } = heard.value;
    const given = voteOf(vote, other);
    if (given !== undefined) lock.heard(pnn, holderText(holder), round, given);
  });
  if (!registered.ok) {
    printOut("3");
    process.exit(complain(registered.error.reason));
  }
  lock.take(
    (attempt) => {
      switch (attempt.kind) {
        case "held":
          tellHeld(loop, { leftMs: () => lock.checkedLeftMs, parentGone: () => release(0) });
          return;
        case "contended":
          printOut("1");
          release(0);
          return;
        case "timeout":
          printOut("2");
          complain(`of ${nodes.length} nodes ${attempt.answered} have answered`);
          release(1);
      }
    },
    (reason) => process.exit(complain(`lock lost: ${reason}`)),
  );
  return await new Promise(() => {});
}

interface Joined {
  readonly client: CtdbClient;
  readonly nodes: readonly NodeAndFlags[];
}

async function join(loop: EventLoop, tiebreak: number | undefined): Promise<Result<Joined>> {
  const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
  if (!paths.ok) return paths;
  const options = { timeoutMs: CONNECT_TIMEOUT_MS };
  const connected = await connectClient(new LoopNetwork(loop), loop, paths.value.socket, options);
  if (!connected.ok) return err(connected.error.reason);
  const client = connected.value;
  const map = await client.control("GET_NODEMAP", undefined, options);
  if (!map.ok) return err(`cannot read the list of nodes: ${map.error.reason}`);
  const nodes = map.value.data;
  const members = memberNodes(nodes).map(({ pnn }) => pnn);
  if (tiebreak !== undefined && !members.includes(tiebreak)) {
    return err(`--tiebreak: expected one of the nodes ${members.join(", ")}, got "${tiebreak}"`);
  }
  if (members.length === 2 && tiebreak === undefined) {
    return err("two nodes have no majority when one is away: expected --tiebreak with one of them");
  }
  return ok({ client, nodes });
}

function complain(reason: string): number {
  printErr(`${NAME}: ${reason}\n`);
  return 1;
}
