/**
 * Packets that no socket of a connection sends: announcements of addresses, and segments of connections of others
 * (docs/platform.md, "Raw packets"). Needs CAP_NET_RAW.
 */
import type { SystemError } from "../../base/errors.ts";
import type { Result } from "../../base/result.ts";

/** One end of a TCP connection; canonical address text of wire/structs/socket_address.ts. */
export interface TcpEnd {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
  readonly port: number;
}

/** Fields of a TCP segment without data that matter to us; numbers are u32. */
export interface TcpSegment {
  readonly src: TcpEnd;
  readonly dst: TcpEnd;
  readonly seq: number;
  readonly ack: number;
  readonly flags: { readonly ack: boolean; readonly rst: boolean; readonly syn: boolean };
  readonly window: number;
}

export interface TcpCapture {
  /** Segments seen since, without loss where the kernel says so (`dropped`). */
  readonly dropped: number;
  close(): void;
}

export interface RawNetwork {
  /**
   * Tells the neighbours on this interface that the address is here: gratuitous ARP (request and reply) for IPv4,
   * an unsolicited neighbour advertisement for IPv6.
   */
  announceAddress(address: string, interfaceName: string): Result<void, SystemError>;
  /** Sends a segment with any source address, whether it is one of this host or not. */
  sendSegment(segment: TcpSegment): Result<void, SystemError>;
  /** Every TCP segment that arrives on an interface, without taking it from anybody. */
  captureSegments(
    interfaceName: string,
    onSegment: (segment: TcpSegment) => void,
  ): Result<TcpCapture, SystemError>;
}
