/**
 * The asynchronous client library: what tools, helpers, recoverd, tests and other people's programs
 * use to talk to a ctdbd over its unix socket.
 *
 * Invariants:
 * 1. Every request ends: in a value, or in a typed failure before its deadline.
 * 2. When the connection is lost, every pending request fails with "disconnected".
 * 3. Replies that nobody waits for any more are dropped and counted.
 */
import type { SystemError } from "../base/errors.ts";
import type { Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import type { ControlName, ControlReplyOf, ControlRequestOf } from "../wire/controls.ts";

export interface ClientFailure {
  readonly kind: /** No answer before the deadline. */
    | "timeout"
    /** The connection to ctdbd is gone. */
    | "disconnected"
    /** ctdbd answered with a negative status, or with a positive one and no answer. */
    | "refused"
    /** The answer does not decode. */
    | "malformed";
  readonly reason: string;
  /** Status of a refusal; 0 otherwise. */
  readonly status: number;
  /** The system call that failed, for a connection that could not be made. */
  readonly cause?: SystemError;
}

export interface ControlAnswer<T> {
  /** ≥ 0; some controls answer with a number here (GET_PNN, PING, GET_PID …). */
  readonly status: number;
  readonly data: T;
}

export type ControlOutcome<T> = Result<ControlAnswer<T>, ClientFailure>;

export interface RequestOptions {
  /** Destination; CURRENT_NODE when left out. */
  readonly pnn?: number;
  readonly timeoutMs?: number;
  readonly srvid?: U64;
  /** Opcode-specific flags (upper half). */
  readonly flags?: number;
}

/** The data is valid during the call only: its memory is used again. Who needs it longer copies it. */
export type MessageHandler = (data: Uint8Array, srcnode: number, srvid: U64) => void;

export interface CallRequest {
  readonly db_id: number;
  readonly flags: number;
  readonly callid: number;
  readonly key: Uint8Array;
  readonly calldata?: Uint8Array;
}

export interface CtdbClient {
  /** pnn of the node we are connected to (asked once when connecting). */
  readonly pnn: number;
  readonly connected: boolean;

  control<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options?: RequestOptions,
  ): Promise<ControlOutcome<ControlReplyOf<N>>>;

  /** The same control to several nodes at once; an answer for each pnn. */
  controlEach<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnns: readonly number[],
    options?: Omit<RequestOptions, "pnn">,
  ): Promise<Map<number, ControlOutcome<ControlReplyOf<N>>>>;

  /** Without a reply; the only form allowed to broadcast pnns. */
  controlNoReply<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options?: RequestOptions,
  ): void;

  /** Messages for `srvid` arrive at the handler until `remove` is called. */
  registerSrvid(
    srvid: U64,
    handler: MessageHandler,
  ): Promise<Result<{ remove(): void }, ClientFailure>>;
  sendMessage(pnn: number, srvid: U64, data: Uint8Array): void;

  /** REQ_CALL to the local ctdbd; status ≠ 0 of the reply is a refusal. */
  call(request: CallRequest, timeoutMs: number): Promise<Result<Uint8Array, ClientFailure>>;

  /** Runs once when the connection ends without our close(). */
  onDisconnect(action: (reason: string) => void): void;
  /** Resolves when every request has ended, those too whose answer nobody awaits (`remove`). */
  settled(): Promise<void>;
  /** At once: what still waits for an answer fails. */
  close(): void;
}
