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

/** Segments from one of `from` and to one of `to`. With no address at all, or more than the kernel takes: all. */
export interface SegmentFilter {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

export interface TcpCapture {
  /** Segments that were lost since it began because too many came; 0 means that none was. */
  readonly dropped: number;
  close(): void;
}

/** Who says in an ARP packet that an IPv4 address is its own. */
export interface ArpSpeaker {
  readonly address: string;
  /** Lower-case hexadecimal bytes with colons between them. */
  readonly hardwareAddress: string;
}

export interface ArpWatch {
  close(): void;
}

/** IPv4 addresses that somebody else on the link has too (RFC 5227). */
export interface ArpNetwork {
  /**
   * Asks the neighbours on this interface whether one of them has the IPv4 address, and claims nothing: nobody learns
   * from an ARP probe. Where there are no neighbours, and with what errors, as `announceAddress`.
   */
  probeAddress(address: string, interfaceName: string): Result<void, SystemError>;
  /**
   * The senders of ARP packets that arrive on this interface; what is no proper packet, or claims no address, is left
   * out. `onSpeaker` never runs inside the call. ENODEV: there is no such interface.
   */
  watchArp(
    interfaceName: string,
    onSpeaker: (speaker: ArpSpeaker) => void,
  ): Result<ArpWatch, SystemError>;
  /** Of all interfaces of this host, written as those of speakers are. */
  hardwareAddresses(): Result<ReadonlySet<string>, SystemError>;
}

export interface RawNetwork {
  /**
   * Tells the neighbours on this interface (its name or an alternative one) that the address is here: gratuitous ARP
   * (request and reply) for IPv4, an unsolicited neighbour advertisement for IPv6. Does nothing where there are no
   * neighbours, as on loopback. ENODEV: there is no such interface; ENETDOWN: it is down.
   */
  announceAddress(address: string, interfaceName: string): Result<void, SystemError>;
  /**
   * Sends a segment with any source address, whether it is one of this host or not. EAGAIN: the network does
   * not take more now.
   */
  sendSegment(segment: TcpSegment): Result<void, SystemError>;
  /**
   * Every TCP segment that passes the filter and goes through this host in or out, on whatever interface, without taking
   * it from anybody. One that goes through two interfaces is seen twice. `onSegment` never runs inside the call.
   */
  captureSegments(
    filter: SegmentFilter,
    onSegment: (segment: TcpSegment) => void,
  ): Result<TcpCapture, SystemError>;
}
