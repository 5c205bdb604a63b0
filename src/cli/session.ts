/**
 * A command's connection to a node: requests with the original tool's error texts and exit status, the
 * node map, the leader.
 *
 * Invariants:
 * 1. A failed request has said why on standard error before it throws CommandFailure.
 * 2. `target` is the node that -n named, or the connected one; it was checked to be connected.
 */
import { EMSGSIZE, ETIMEDOUT } from "../base/errno.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type U64, u64 } from "../base/u64.ts";
import type { ClientFailure, CtdbClient } from "../client/types.ts";
import { decodeExact, u32Codec } from "../wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../wire/constants.ts";
import {
  CONTROLS,
  type ControlName,
  type ControlReplyOf,
  type ControlRequestOf,
} from "../wire/controls.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { CommandFailure } from "./failure.ts";
import type { ToolHost } from "./host.ts";
import { flagNames } from "./node_flags.ts";
import { parseUnsigned32 } from "./numbers.ts";

/** What the original tool calls them in its messages, where it differs. */
const SPOKEN_NAME: Partial<Record<ControlName, string>> = { SET_DB_READONLY: "SET_DB_READONY" };

export interface Answer<T> {
  readonly status: number;
  readonly data: T;
}

export interface SessionOptions {
  /** Seconds for each request. */
  readonly timelimit: number;
  /** Own process id, for srvids of replies. */
  readonly pid: number;
}

/** How a peer is asked for its node map; undefined when it gives none. */
export type AskNodeMap = (pnn: number) => Promise<readonly NodeAndFlags[] | undefined>;

export class Session {
  readonly client: CtdbClient;
  readonly host: ToolHost;
  /** Node the command is about. */
  target: number;
  readonly timeoutMs: number;
  readonly pid: number;
  #nodes: readonly NodeAndFlags[] | undefined;
  #leader: number | undefined;
  #leaderListening: ReturnType<CtdbClient["registerSrvid"]> | undefined;
  /** Of everybody who waits for one. */
  #leaderHeard: (() => void)[] = [];
  #srvids = 0;

  constructor(client: CtdbClient, host: ToolHost, options: SessionOptions) {
    this.client = client;
    this.host = host;
    this.target = client.pnn;
    this.timeoutMs = options.timelimit * 1000;
    this.pid = options.pid;
  }

  get pnn(): number {
    return this.client.pnn;
  }

  /** Asks `pnn`; a failure is a value, and was not printed. */
  async attempt<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnn = this.target,
    { timeoutMs = this.timeoutMs, flags = 0 }: { timeoutMs?: number; flags?: number } = {},
  ): Promise<Result<Answer<ControlReplyOf<N>>, ClientFailure>> {
    if (timeoutMs === 0) return err({ kind: "timeout", reason: "No time to wait", status: 0 });
    const outcome = await this.client.control(name, request, { pnn, timeoutMs, flags });
    if (!outcome.ok) return outcome;
    const { status } = outcome.value;
    if (status === 0 || CONTROLS[name].statusIsAnswer) return outcome;
    return err({ kind: "refused", reason: `${name} answered ${status}`, status });
  }

  /** As `attempt`, but a failure was printed; the error is the exit status. */
  async tryAsk<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnn = this.target,
  ): Promise<Result<Answer<ControlReplyOf<N>>, number>> {
    const outcome = await this.attempt(name, request, pnn);
    return outcome.ok ? outcome : err(this.complain(name, pnn, outcome.error));
  }

  /** Prints the failure of a request to `pnn`; the exit status. */
  complain(name: ControlName, pnn: number, failure: ClientFailure): number {
    if (failure.kind === "disconnected") throw connectionLost(failure);
    const status = exitStatus(failure);
    const where = failure.kind === "timeout" ? ` to node ${pnn}` : "";
    this.host.err(`Control ${SPOKEN_NAME[name] ?? name} failed${where}, ret=${status}\n`);
    return status;
  }

  /** The answer; a failure ends the command, with `message` as a further line. */
  async ask<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnn = this.target,
    message = "",
  ): Promise<ControlReplyOf<N>> {
    const answer = await this.answer(name, request, pnn, message);
    return answer.data;
  }

  /** As `ask`, with the status. */
  async answer<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnn = this.target,
    message = "",
  ): Promise<Answer<ControlReplyOf<N>>> {
    const outcome = await this.tryAsk(name, request, pnn);
    if (!outcome.ok) throw new CommandFailure(outcome.error, message);
    return outcome.value;
  }

  /** The node map, asked once; `fromPeer` as in `freshNodes`. */
  async nodes(fromPeer?: AskNodeMap): Promise<readonly NodeAndFlags[]> {
    this.#nodes ??= await this.freshNodes(fromPeer);
    return this.#nodes;
  }

  /**
   * The node map, from another node when ours is banned and may not know. When that one gives none
   * (`fromPeer`), what ours knows has to do.
   */
  async freshNodes(fromPeer?: AskNodeMap): Promise<readonly NodeAndFlags[]> {
    const own = await this.#nodeMapOf(this.pnn);
    let from = this.pnn;
    let nodes = own;
    for (;;) {
      const asked = nodes.find((node) => node.pnn === from);
      if (asked === undefined || (asked.flags & NODE_FLAGS.BANNED) === 0) return nodes;
      const next = nextReachable(nodes, from);
      if (next === undefined || next === this.pnn) {
        throw new CommandFailure(1, "Warning: All nodes are banned.");
      }
      from = next;
      const theirs = await (fromPeer?.(from) ?? this.#nodeMapOf(from));
      if (theirs === undefined) return own;
      nodes = theirs;
    }
  }

  #nodeMapOf(pnn: number): Promise<readonly NodeAndFlags[]> {
    return this.ask("GET_NODEMAP", undefined, pnn, `Failed to get nodemap from node ${pnn}`);
  }

  /** Takes `pnn` as the node that the command is about; false, with a message, if it cannot be. */
  async selectTarget(pnn: number): Promise<void> {
    const node = (await this.nodes()).find((entry) => entry.pnn === pnn >>> 0);
    if (node === undefined) throw new CommandFailure(1, `Node ${pnn >>> 0} does not exist`);
    if ((node.flags & (NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED)) !== 0) {
      throw new CommandFailure(1, `Node ${node.pnn} has status ${flagNames(node.flags)}`);
    }
    this.target = node.pnn;
  }

  /**
   * The leader as its last broadcast named it; undefined when none comes within the time limit. Our own
   * ctdbd repeats the last one to whoever registers; others broadcast once a second. The command listens
   * until its end: later calls know what came meanwhile.
   */
  async leader(): Promise<number | undefined> {
    this.#leaderListening ??= this.client.registerSrvid(SRVID.LEADER, (data) => {
      const pnn = decodeExact(u32Codec, data);
      if (!pnn.ok) return;
      this.#leader = pnn.value === UNKNOWN_PNN ? undefined : pnn.value;
      if (this.#leader !== undefined) for (const heard of this.#leaderHeard.splice(0)) heard();
    });
    const listening = await this.#leaderListening;
    if (!listening.ok) throw new CommandFailure(1, "Failed to setup leader handler");
    if (this.#leader !== undefined) return this.#leader;
    await new Promise<void>((resolve) => {
      const timer = this.host.timers.after(this.timeoutMs, resolve);
      this.#leaderHeard.push(() => {
        timer.cancel();
        resolve();
      });
    });
    return this.#leader;
  }

  /** A srvid for replies to this process. */
  nextSrvid(): U64 {
    this.#srvids += 1;
    return u64(TOOL_SRVID_HIGH, ((this.pid & 0xffff) << 16) + this.#srvids);
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.host.timers.after(delayMs, resolve);
    });
  }
}

const TOOL_SRVID_HIGH = 0xce010000;

/** Exit status of a failed request: the errno, or the status that the node answered. */
export function exitStatus(failure: ClientFailure): number {
  switch (failure.kind) {
    case "timeout":
      return ETIMEDOUT;
    case "malformed":
      return EMSGSIZE;
    case "refused":
      return failure.status;
    case "disconnected":
      return 1;
  }
}

export function connectionLost(failure: { readonly reason: string }): CommandFailure {
  return new CommandFailure(1, `Connection to CTDB daemon lost: ${failure.reason}`);
}

/** The next node after `from`, around the list, that is connected; undefined when there is none. */
function nextReachable(nodes: readonly NodeAndFlags[], from: number): number | undefined {
  const at = nodes.findIndex((node) => node.pnn === from);
  for (let i = 1; i <= nodes.length; i++) {
    const node = nodes[(at + i) % nodes.length];
    const gone = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED;
    if (node !== undefined && (node.flags & gone) === 0) return node.pnn;
  }
  return undefined;
}

/** `all`, or pnns with commas between them; undefined text means the target only. */
export async function selectNodes(
  session: Session,
  text: string | undefined,
): Promise<readonly NodeAndFlags[]> {
  const nodes = await session.nodes();
  if (text === undefined) return nodes.filter((node) => node.pnn === session.target);
  if (text === "all") return nodes;
  return text
    .split(",")
    .filter((word) => word !== "")
    .map((word) => {
      const pnn = parseUnsigned32(word);
      if (!pnn.ok) throw new CommandFailure(1, `Invalid node ${word}`);
      const node = nodes.find((entry) => entry.pnn === pnn.value);
      if (node === undefined) throw new CommandFailure(1, `Node ${pnn.value} does not exist`);
      return node;
    });
}

export function okOrThrow<T>(outcome: Result<T, ClientFailure>): T {
  if (outcome.ok) return ok(outcome.value).value;
  throw outcome.error.kind === "disconnected"
    ? connectionLost(outcome.error)
    : new CommandFailure(exitStatus(outcome.error));
}
