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

/** Fields of a TCP segment that matter to us; numbers are u32. What we send has no data. */
export interface TcpSegment {
  readonly src: TcpEnd;
  readonly dst: TcpEnd;
  readonly seq: number;
  readonly ack: number;
  readonly flags: { readonly ack: boolean; readonly rst: boolean; readonly syn: boolean };
  readonly window: number;
}

export interface TcpCapture {
  /** Segments that were lost since it began because too many came; 0 means that none was. */
  readonly dropped: number;
  close(): void;
}

export interface RawNetwork {
  /**
   * Tells the neighbours on this interface (its name or an alternative one) that the address is here: gratuitous ARP
   * (request and reply) for IPv4, an unsolicited neighbour advertisement for IPv6. Does nothing where there are no
   * neighbours, as on loopback. ENODEV: there is no such interface; ENETDOWN: it is down.
   */
  announceAddress(address: string, interfaceName: string): Result<void, SystemError>;
  /**
   * Sends a segment with any source address, whether it is one of this host or not. EAGAIN or ENOBUFS: the network
   * does not take more now.
   */
  sendSegment(segment: TcpSegment): Result<void, SystemError>;
  /**
   * Every TCP segment from or to one of `addresses` that goes through this host in or out, on whatever interface, without
   * taking it from anybody. One that goes through two interfaces is seen twice. No addresses, or more than the
   * filter takes: all segments. `onSegment` never runs inside the call.
   */
  captureSegments(
    addresses: readonly string[],
    onSegment: (segment: TcpSegment) => void,
  ): Result<TcpCapture, SystemError>;
}
