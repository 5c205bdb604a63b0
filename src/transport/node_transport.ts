/**
 * How connections between nodes are made, and how it is known which node is at the other end. What is sent
 * over them, how many there are and when is the business of node_links.ts.
 *
 * Every implementation passes test/contract/node_transport.ts.
 */
import type { SystemError } from "../base/errors.ts";
import type { Result } from "../base/result.ts";
import type {
  AcceptNotices,
  ConnectCallback,
  Stream,
  StreamHandlers,
  StreamServer,
} from "../platform/types/network.ts";
import type { Timer } from "../platform/types/time.ts";

/** A node as the nodes list has it. */
export interface NodeAddress {
  readonly pnn: number;
  readonly address: string;
}

/** A connection that was accepted. It comes when all is known that tells whose it is. */
export interface IncomingStream {
  readonly stream: Stream;
  /** Where it comes from, for the log. */
  readonly from: string;
  /** Whether it is this node that made it; of two nodes at most one did. */
  isOf(node: NodeAddress): boolean;
}

export interface NodeTransport {
  /** Listens on the address of our own node. */
  listen(
    ownAddress: string,
    accept: (incoming: IncomingStream) => StreamHandlers,
    notices: AcceptNotices,
  ): Result<StreamServer, SystemError>;
  /**
   * Makes a connection on which that node takes us for the node of `ownAddress`. It is there or has failed after
   * CONNECT_TIMEOUT_MS, never inside the call, and not after a cancel.
   */
  connect(to: NodeAddress, ownAddress: string, connected: ConnectCallback): Timer;
}

/** Where a connection comes from; an IPv4 address of a socket for both families in its own form. */
export function plainAddress({ remoteAddress }: Stream): string {
  const address = remoteAddress ?? "an unknown address";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
