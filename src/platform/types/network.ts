/** Byte streams and the network, as interfaces (rules for all of them: docs/platform.md, "Interfaces"). */
import type { SystemError } from "../../base/errors.ts";
import type { Result } from "../../base/result.ts";
import type { Timer } from "./time.ts";

export interface StreamHandlers {
  /** The chunk is valid during the call only: its memory is used again. */
  onData(chunk: Uint8Array): void;
  /** Room again after `write` took less than it was given. */
  onDrain(): void;
  /** End of stream or failure; comes once, also after the peer closed; not after our `close()`. */
  onClose(reason: SystemError | undefined): void;
}

export interface Stream {
  /** Takes as many bytes as fit now and returns how many; the rest is the caller's until onDrain. */
  write(bytes: Uint8Array): number;
  /** Stops reading; data that already arrived may still be delivered once. */
  pause(): void;
  resume(): void;
  /** Closes at once; what `write` took is still sent as far as the system does. */
  close(): void;
  /** Peer process of a unix stream, from SO_PEERCRED. */
  readonly peer: { readonly pid: number; readonly uid: number } | undefined;
  /** Peer address of a TCP stream. */
  readonly remoteAddress: string | undefined;
}

/** Asked for each accepted stream; the handlers it returns serve that stream. */
export type Acceptor = (stream: Stream) => StreamHandlers;

export interface StreamServer {
  close(): void;
}

/** Told by a listener about itself, never inside the call that made it. */
export interface AcceptNotices {
  /** The process has nearly as many descriptors open as it may: connections wait in the system. */
  paused(descriptorsMax: number): void;
  resumed(): void;
}

export interface Network {
  /**
   * Removes nothing by itself: a path in use gives EADDRINUSE. Listeners leave some descriptors to the process,
   * and accept nothing until there are more: for "clients" many, for the "node" itself (the default for TCP) few.
   */
  listenUnix(
    path: string,
    mode: number,
    accept: Acceptor,
    notices?: AcceptNotices,
    acceptedFor?: "clients" | "node",
  ): Result<StreamServer, SystemError>;
  listenTcp(
    address: string,
    port: number,
    accept: Acceptor,
    notices?: AcceptNotices,
  ): Result<StreamServer, SystemError>;
  /** The callback gets the stream or the failure; its result serves the stream. */
  connectUnix(path: string, connected: ConnectCallback): Timer;
  /** From `localAddress` with a free port; TCP_NODELAY and SO_KEEPALIVE are set. */
  connectTcp(
    to: { address: string; port: number; localAddress?: string; timeoutMs: number },
    connected: ConnectCallback,
  ): Timer;
  interfaces(): Result<readonly NetworkInterface[], SystemError>;
  /** Also by an alternative name (`ip link property add … altname`), under which `interfaces` does not list it. */
  hasInterface(name: string): boolean;
}

/** Returns the handlers when it got a stream; what it returns on failure is ignored. */
export type ConnectCallback = (outcome: Result<Stream, SystemError>) => StreamHandlers | undefined;

export interface NetworkInterface {
  readonly name: string;
  readonly up: boolean;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
}
