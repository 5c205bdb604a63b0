/**
 * The client library's one implementation of `CtdbClient`, over the streams of platform/types/.
 *
 * Invariants (beside those of client/types.ts):
 * 1. A callback or promise of the caller never runs inside the call that asked for it.
 * 2. Packets are sent in the order of the calls and written once per turn; any number of requests may
 *    be under way.
 * 3. A packet from the daemon that makes no sense ends the connection (its framing), or fails the one
 *    request that it answers (its body); it never throws.
 */
import { err, ok, type Result } from "../base/result.ts";
import { type U64, u64Equal, u64Hex } from "../base/u64.ts";
import type { Network, Stream, StreamHandlers } from "../platform/types/network.ts";
import type { Timers } from "../platform/types/time.ts";
import { PacketFramer } from "../transport/framer.ts";
import type { Codec } from "../wire/codec.ts";
import { SRVID } from "../wire/constants.ts";
import {
  CONTROL_NOREPLY,
  CONTROLS,
  type ControlName,
  type ControlReplyOf,
  type ControlRequestOf,
} from "../wire/controls.ts";
import { CURRENT_NODE, OPERATIONS, type PacketView } from "../wire/packet.ts";
import { packetProblem, REQ_MESSAGE_AT, REQ_TUNNEL_AT } from "../wire/packets/layouts.ts";
import { PacketOutput } from "./packet_output.ts";
import { type PendingRequest, PendingRequests } from "./pending_requests.ts";
import { readCallReply, readControlReply } from "./replies.ts";
import { writeCall, writeControl, writeMessage, writeTunnel } from "./request_packets.ts";
import { Subscriptions } from "./subscriptions.ts";
import type {
  CallRequest,
  ClientFailure,
  ControlOutcome,
  CtdbClient,
  MessageHandler,
  RequestOptions,
} from "./types.ts";

const DEFAULT_TIMEOUT_MS = 10_000;
/** Bytes that may wait for a daemon that does not read. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

/** `reqid` is the sender's, for a reply; `flags` are TUNNEL_FLAGS. */
export type TunnelHandler = (
  data: Uint8Array,
  from: { readonly srcnode: number; readonly reqid: number; readonly flags: number },
) => void;

export const TUNNEL_FLAGS = { REQUEST: 1, REPLY: 2, NOREPLY: 0x10 } as const;

export interface ConnectOptions {
  /** For connecting, and for requests that name no other; Infinity for no limit. */
  readonly timeoutMs?: number;
}

/**
 * Connects to a ctdbd and asks for its pnn. Failures: "disconnected" when nobody listens at the path
 * or the connection ends, "timeout", or what GET_PNN answered.
 */
export async function connectClient(
  network: Pick<Network, "connectUnix">,
  timers: Timers,
  socketPath: string,
  options: ConnectOptions = {},
): Promise<Result<ConnectedClient, ClientFailure>> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const connected = await openConnection(network, timers, socketPath, timeoutMs);
  if (!connected.ok) return connected;
  const client = connected.value;
  const answer = await client.control("GET_PNN", undefined, { timeoutMs });
  if (!answer.ok) {
    client.close();
    return answer;
  }
  client.pnn = answer.value.status;
  return ok(client);
}

function openConnection(
  network: Pick<Network, "connectUnix">,
  timers: Timers,
  socketPath: string,
  timeoutMs: number,
): Promise<Result<ConnectedClient, ClientFailure>> {
  return new Promise((resolve) => {
    const attempt = network.connectUnix(socketPath, (outcome) => {
      deadline.cancel();
      if (!outcome.ok) {
        const reason = `Cannot connect to ctdbd at "${socketPath}": ${outcome.error.message}`;
        resolve(err({ kind: "disconnected", reason, status: 0, cause: outcome.error }));
        return undefined;
      }
      const client = new ConnectedClient(outcome.value, timers, timeoutMs);
      resolve(ok(client));
      return client.streamHandlers;
    });
    const deadline = timers.after(timeoutMs, () => {
      attempt.cancel();
      const reason = `No connection to ctdbd at "${socketPath}" within ${timeoutMs} ms`;
      resolve(err({ kind: "timeout", reason, status: 0 }));
    });
  });
}

export class ConnectedClient implements CtdbClient {
  pnn = CURRENT_NODE;
  /** Packets from the daemon that nobody waits for any more. */
  droppedReplies = 0;
  readonly streamHandlers: StreamHandlers;

  readonly #stream: Stream;
  readonly #timers: Timers;
  readonly #timeoutMs: number;
  readonly #output: PacketOutput;
  readonly #framer = new PacketFramer("client");
  readonly #pending: PendingRequests;
  readonly #messages = new Subscriptions<MessageHandler>();
  readonly #tunnels = new Subscriptions<TunnelHandler>();
  /** REGISTER_SRVID under way, by srvid. */
  readonly #registrations = new Map<string, Promise<ControlOutcome<undefined>>>();
  #disconnectActions: ((reason: string) => void)[] = [];
  /** Why the connection ended; undefined while it has not. */
  #ended: string | undefined;

  constructor(stream: Stream, timers: Timers, timeoutMs: number) {
    this.#stream = stream;
    this.#timers = timers;
    this.#timeoutMs = timeoutMs;
    this.#pending = new PendingRequests(timers);
    this.#output = new PacketOutput(stream, timers, OUTPUT_BYTES_MAX, () =>
      this.#lose(`ctdbd does not read: over ${OUTPUT_BYTES_MAX} bytes wait to be sent`),
    );
    this.streamHandlers = {
      onData: (chunk) => this.#receive(chunk),
      onDrain: () => this.#output.drained(),
      onClose: (reason) =>
        this.#lose(`ctdbd closed the connection${reason ? `: ${reason.message}` : ""}`),
    };
  }

  get connected(): boolean {
    return this.#ended === undefined;
  }

  // --- controls

  control<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options: RequestOptions = {},
  ): Promise<ControlOutcome<ControlReplyOf<N>>> {
    return new Promise((resolve) => {
      const reply = CONTROLS[name].reply as Codec<ControlReplyOf<N>>;
      const reqid = this.#await(
        {
          answered: (packet) => resolve(readControlReply(name, reply, packet)),
          failed: (failure) => resolve(err(failure)),
        },
        options.timeoutMs,
        name,
      );
      if (reqid !== undefined) this.#sendControl(name, request, options, reqid, 0);
    });
  }

  async controlEach<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnns: readonly number[],
    options: Omit<RequestOptions, "pnn"> = {},
  ): Promise<Map<number, ControlOutcome<ControlReplyOf<N>>>> {
    const outcomes = await Promise.all(
      pnns.map(async (pnn) => {
        const outcome = await this.control(name, request, { ...options, pnn });
        return [pnn, outcome] as const;
      }),
    );
    return new Map(outcomes);
  }

  controlNoReply<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options: RequestOptions = {},
  ): void {
    if (!this.connected) return;
    this.#sendControl(name, request, options, this.#pending.newId(), CONTROL_NOREPLY);
  }

  #sendControl<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options: RequestOptions,
    reqid: number,
    flags: number,
  ): void {
    const all = flags | (options.flags ?? 0);
    writeControl(this.#output, this.#srcnode(), reqid, name, request, all, options);
  }

  // --- messages

  async registerSrvid(
    srvid: U64,
    handler: MessageHandler,
  ): Promise<Result<{ remove(): void }, ClientFailure>> {
    // Before the answer: the first message may come together with it.
    const key = u64Hex(srvid);
    if (this.#messages.add(srvid, handler)) {
      const asked = this.control("REGISTER_SRVID", undefined, { srvid });
      this.#registrations.set(key, asked);
      void asked.then(() => this.#registrations.delete(key));
    }
    // Further handlers of a srvid share the fate of the first.
    const answer = await this.#registrations.get(key);
    if (answer !== undefined && !answer.ok) {
      this.#messages.remove(srvid, handler);
      return answer;
    }
    return ok({
      remove: () => {
        // With an answer, although nobody awaits it: `settled` does.
        if (this.#messages.remove(srvid, handler) && this.connected) {
          void this.control("DEREGISTER_SRVID", undefined, { srvid });
        }
      },
    });
  }

  sendMessage(pnn: number, srvid: U64, data: Uint8Array): void {
    if (this.connected) writeMessage(this.#output, this.#srcnode(), pnn, srvid, data);
  }

  // --- calls

  call(request: CallRequest, timeoutMs: number): Promise<Result<Uint8Array, ClientFailure>> {
    return new Promise((resolve) => {
      const reqid = this.#await(
        {
          answered: (packet) => resolve(readCallReply(packet)),
          failed: (failure) => resolve(err(failure)),
        },
        timeoutMs,
        "REQ_CALL",
      );
      if (reqid !== undefined) writeCall(this.#output, this.#srcnode(), reqid, request);
    });
  }

  // --- tunnels

  /** Packets for the tunnel arrive at the handler; a node takes one client for each tunnel id. */
  async registerTunnel(
    id: U64,
    handler: TunnelHandler,
  ): Promise<Result<{ remove(): void }, ClientFailure>> {
    this.#tunnels.add(id, handler);
    const answer = await this.control("TUNNEL_REGISTER", undefined, { srvid: id });
    if (!answer.ok) {
      this.#tunnels.remove(id, handler);
      return answer;
    }
    return ok({
      remove: () => {
        if (this.#tunnels.remove(id, handler) && this.connected) {
          void this.control("TUNNEL_DEREGISTER", undefined, { srvid: id });
        }
      },
    });
  }

  /** A reply carries the request's `reqid`; a request gets a new one, which is returned. */
  sendTunnel(pnn: number, id: U64, flags: number, data: Uint8Array, reqid?: number): number {
    const packetId = reqid ?? this.#pending.newId();
    if (this.connected) {
      writeTunnel(this.#output, this.#srcnode(), packetId, pnn, { id, flags, data });
    }
    return packetId;
  }

  // --- the connection

  onDisconnect(action: (reason: string) => void): void {
    const ended = this.#ended;
    if (ended === undefined) this.#disconnectActions.push(action);
    else if (ended !== CLOSED_BY_US) this.#timers.soon(() => action(ended));
  }

  async settled(): Promise<void> {
    while (this.#pending.size > 0) await this.#pending.empty();
  }

  close(): void {
    if (this.#ended !== undefined) return;
    this.#output.flush();
    this.#disconnectActions = [];
    this.#lose(CLOSED_BY_US);
  }

  #srcnode(): number {
    return this.pnn === CURRENT_NODE ? 0 : this.pnn;
  }

  /** The id for the request's packet; undefined when the connection is gone and it failed already. */
  #await(request: PendingRequest, timeoutMs: number | undefined, what: string): number | undefined {
    if (this.#ended === undefined) {
      return this.#pending.add(request, timeoutMs ?? this.#timeoutMs, what);
    }
    request.failed({ kind: "disconnected", reason: this.#ended, status: 0 });
    return undefined;
  }

  #lose(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#output.close();
    this.#stream.close();
    this.#pending.failAll({ kind: "disconnected", reason, status: 0 });
    const actions = this.#disconnectActions;
    this.#disconnectActions = [];
    for (const action of actions) action(reason);
  }

  // --- what arrives

  #receive(chunk: Uint8Array): void {
    const framer = this.#framer;
    framer.push(chunk);
    let packet = framer.next();
    while (packet !== undefined && this.connected) {
      this.#dispatch(packet);
      packet = framer.next();
    }
    if (framer.error !== undefined) this.#lose(`ctdbd sent a bad packet: ${framer.error}`);
    framer.hold();
  }

  #dispatch(packet: PacketView): void {
    const problem = packetProblem(packet);
    switch (packet.operation) {
      case OPERATIONS.REPLY_CONTROL:
      case OPERATIONS.REPLY_CALL:
      case OPERATIONS.REPLY_ERROR:
        this.#answer(packet, problem);
        break;
      case OPERATIONS.REQ_MESSAGE:
        if (problem === undefined) this.#deliverMessage(packet);
        else this.#lose(`ctdbd sent a bad packet: ${problem}`);
        break;
      case OPERATIONS.REQ_TUNNEL:
        if (problem === undefined) this.#deliverTunnel(packet);
        else this.#lose(`ctdbd sent a bad packet: ${problem}`);
        break;
      default:
        this.droppedReplies += 1;
    }
  }

  #answer(packet: PacketView, problem: string | undefined): void {
    const request = this.#pending.take(packet.reqid);
    if (request === undefined) this.droppedReplies += 1;
    else if (problem === undefined) request.answered(packet);
    else request.failed({ kind: "malformed", reason: problem, status: 0 });
  }

  #deliverMessage(packet: PacketView): void {
    const data = packet.slice(REQ_MESSAGE_AT.DATA, packet.u32(REQ_MESSAGE_AT.DATA_LENGTH));
    const srvid = packet.u64(REQ_MESSAGE_AT.SRVID);
    const srcnode = packet.srcnode;
    for (const handler of this.#messages.handlers(srvid)) handler(data, srcnode, srvid);
    if (u64Equal(srvid, SRVID.ALL)) return;
    for (const handler of this.#messages.handlers(SRVID.ALL)) handler(data, srcnode, srvid);
  }

  #deliverTunnel(packet: PacketView): void {
    const data = packet.slice(REQ_TUNNEL_AT.DATA, packet.u32(REQ_TUNNEL_AT.DATA_LENGTH));
    const flags = packet.u32(REQ_TUNNEL_AT.FLAGS);
    const from = { srcnode: packet.srcnode, reqid: packet.reqid, flags };
    for (const handler of this.#tunnels.handlers(packet.u64(REQ_TUNNEL_AT.TUNNEL_ID))) {
      handler(data, from);
    }
  }
}

const CLOSED_BY_US = "the connection was closed";
