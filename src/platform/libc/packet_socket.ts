/**
 * Sockets for whole packets: raw IP sockets that send what we wrote, and packet sockets that send to a link or show
 * what goes through all of them (docs/platform.md, "Raw packets"). They need CAP_NET_RAW.
 *
 * Invariants:
 * 1. A capture sees nothing before its filter is set: the socket has no protocol until it is bound.
 * 2. What the kernel captures lies in a ring that it shares with us. A frame is ours while its status says so.
 */
import { memoryAt } from "#foreign";
import type { SystemError } from "../../base/errors.ts";
import { done, err, ok, type Result } from "../../base/result.ts";
import type { FilterInstruction } from "../packets/segment_filter.ts";
import {
  DATAGRAM_FUNCTIONS,
  LISTEN_FUNCTIONS,
  SHARED_FILE_FUNCTIONS,
  SOCKET_FUNCTIONS,
} from "./functions.ts";
import { errno, type NativeMemory, nativeMemory, openLibc, systemError } from "./libc.ts";
import { AF_PACKET, LINK_ADDRESS_AT, type LinkInterface } from "./link_interface.ts";
import { closeDescriptor } from "./pipe.ts";
import { AF_INET, AF_INET6 } from "./socket_address.ts";
import { SOCK_DGRAM, SOCK_RAW } from "./socket_types.ts";

const IPPROTO_RAW = 255;
const MSG_DONTWAIT = 0x40;

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_SNDBUFFORCE = 32;
/** Packets that wait for neighbours that do not answer must not keep those for others out. */
const SEND_BUFFER_BYTES = 32 * 1024 * 1024;
const SOL_PACKET = 263;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_VERSION = 10;
const TPACKET_V2 = 1;

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MMAP_FAILED = -1;

export const PROTOCOL_ARP = 0x0806;
export const PROTOCOL_IPV6 = 0x86dd;
const PROTOCOL_ALL = 0x0003;

/** sockaddr_ll, with room for the 20 bytes of InfiniBand; the kernel wants at least this many. */
const LINK_SOCKADDR_BYTES_MIN = 20;

/** An IPv4 or IPv6 socket whose packets we write from the IP header on. */
export function openRawSocket(family: "ipv4" | "ipv6"): Result<number, SystemError> {
  const number = family === "ipv4" ? AF_INET : AF_INET6;
  const opened = open(number, SOCK_RAW, IPPROTO_RAW, `raw ${family}`);
  if (!opened.ok) return opened;
  const memory = nativeMemory(4);
  memory.words[0] = SEND_BUFFER_BYTES;
  const { setsockopt } = openLibc(SOCKET_FUNCTIONS);
  // Without the right to force it the system's maximum stays, which works too.
  setsockopt(opened.value, SOL_SOCKET, SO_SNDBUFFORCE, memory.address, 4);
  return opened;
}

function open(
  family: number,
  type: number,
  protocol: number,
  what: string,
): Result<number, SystemError> {
  const descriptor = openLibc(SOCKET_FUNCTIONS).socket(family, type, protocol);
  return descriptor === -1 ? err(systemError(errno(), "socket", what)) : ok(descriptor);
}

/** The sockaddr of a host, without port: raw sockets would take that for a protocol. */
export class HostSockaddr {
  readonly #memory = nativeMemory(28);

  get address(): number {
    return this.#memory.address;
  }

  /** Returns the length. */
  set(bytes: Uint8Array): number {
    const isIpv4 = bytes.length === 4;
    this.#memory.bytes.fill(0);
    this.#memory.view.setUint16(0, isIpv4 ? AF_INET : AF_INET6, true);
    this.#memory.bytes.set(bytes, isIpv4 ? 4 : 8);
    return isIpv4 ? 16 : 28;
  }
}

/** Errno of sending, 0 when it was sent. */
export function sendTo(
  descriptor: number,
  packet: { readonly address: number; readonly byteLength: number },
  to: { readonly address: number; readonly byteLength: number },
): number {
  const sent = openLibc(DATAGRAM_FUNCTIONS).sendto(
    descriptor,
    packet.address,
    packet.byteLength,
    MSG_DONTWAIT,
    to.address,
    to.byteLength,
  );
  return sent === -1 ? errno() : 0;
}

/** Sends packets, each without its link header, to one hardware address of the interface's link. */
export function sendToLink(
  link: LinkInterface,
  to: { readonly protocol: number; readonly hardwareAddress: Uint8Array },
  packets: readonly Uint8Array[],
  what: string,
): Result<void, SystemError> {
  const opened = open(AF_PACKET, SOCK_DGRAM, 0, what);
  if (!opened.ok) return opened;
  const sockaddr = linkSockaddr(link.index, to.protocol, to.hardwareAddress);
  let number = 0;
  for (const bytes of packets) {
    const memory = nativeMemory(bytes.length);
    memory.bytes.set(bytes);
    const packet = { address: memory.address, byteLength: bytes.length };
    number ||= sendTo(opened.value, packet, {
      address: sockaddr.address,
      byteLength: sockaddr.bytes.length,
    });
  }
  closeDescriptor(opened.value);
  return number === 0 ? done : err(systemError(number, "sendto", what));
}

function linkSockaddr(index: number, protocol: number, hardwareAddress: Uint8Array): NativeMemory {
  const byteLength = LINK_ADDRESS_AT + hardwareAddress.length;
  const memory = nativeMemory(Math.max(byteLength, LINK_SOCKADDR_BYTES_MIN));
  memory.view.setUint16(0, AF_PACKET, true);
  memory.view.setUint16(2, protocol);
  memory.view.setInt32(4, index, true);
  memory.view.setUint8(11, hardwareAddress.length);
  memory.bytes.set(hardwareAddress, LINK_ADDRESS_AT);
  return memory;
}

/** ARP packets that arrive on one interface, from the ARP header on, and pass the filter. Non-blocking. */
export function openArpSocket(
  interfaceIndex: number,
  filter: readonly FilterInstruction[],
  what: string,
): Result<number, SystemError> {
  const opened = open(AF_PACKET, SOCK_DGRAM, 0, what);
  if (!opened.ok) return opened;
  const failed = setFilter(opened.value, filter) ?? bindToArp(opened.value, interfaceIndex, what);
  if (failed === undefined) return opened;
  closeDescriptor(opened.value);
  return err(failed);
}

function bindToArp(
  descriptor: number,
  interfaceIndex: number,
  what: string,
): SystemError | undefined {
  const { address, bytes } = linkSockaddr(interfaceIndex, PROTOCOL_ARP, new Uint8Array(0));
  const outcome = openLibc(LISTEN_FUNCTIONS).bind(descriptor, address, bytes.length);
  return outcome === 0 ? undefined : systemError(errno(), "bind", what);
}

export interface RingShape {
  readonly frameBytes: number;
  readonly frames: number;
  /** A power of two of at least a page, and a multiple of a frame. */
  readonly blockBytes: number;
}

export interface CaptureSocket {
  readonly descriptor: number;
  /** Where the ring lies. */
  readonly ring: number;
  readonly ringBytes: number;
}

/** Packets of all interfaces, in and out, from their IP header on, that pass the filter. */
export function openCapture(
  filter: readonly FilterInstruction[],
  shape: RingShape,
): Result<CaptureSocket, SystemError> {
  const opened = open(AF_PACKET, SOCK_DGRAM, 0, "capture");
  if (!opened.ok) return opened;
  const descriptor = opened.value;
  const ready = prepareCapture(descriptor, filter, shape);
  if (!ready.ok) closeDescriptor(descriptor);
  return ready;
}

function prepareCapture(
  descriptor: number,
  filter: readonly FilterInstruction[],
  shape: RingShape,
): Result<CaptureSocket, SystemError> {
  const ringBytes = shape.frames * shape.frameBytes;
  const blocks = ringBytes / shape.blockBytes;
  const failed =
    setFilter(descriptor, filter) ??
    setOption(descriptor, PACKET_VERSION, [TPACKET_V2], "PACKET_VERSION") ??
    setOption(
      descriptor,
      PACKET_RX_RING,
      [shape.blockBytes, blocks, shape.frameBytes, shape.frames],
      "PACKET_RX_RING",
    );
  if (failed !== undefined) return err(failed);
  const { mmap, munmap } = openLibc(SHARED_FILE_FUNCTIONS);
  const ring = mmap(0, ringBytes, PROT_READ_WRITE, MAP_SHARED, descriptor, 0);
  if (ring === MMAP_FAILED) return err(systemError(errno(), "mmap", "capture"));
  const everywhere = linkSockaddr(0, PROTOCOL_ALL, new Uint8Array(0));
  const { bind } = openLibc(LISTEN_FUNCTIONS);
  if (bind(descriptor, everywhere.address, everywhere.bytes.length) !== 0) {
    const error = systemError(errno(), "bind", "capture");
    munmap(ring, ringBytes);
    return err(error);
  }
  return ok({ descriptor, ring, ringBytes });
}

/** struct sock_filter: code u16 0, jumps u8 2 and 3, operand u32 4. struct sock_fprog: count u16 0, address 8. */
function setFilter(
  descriptor: number,
  filter: readonly FilterInstruction[],
): SystemError | undefined {
  const program = nativeMemory(filter.length * 8);
  filter.forEach(({ code, jumpTrue, jumpFalse, operand }, i) => {
    program.view.setUint16(i * 8, code, true);
    program.view.setUint8(i * 8 + 2, jumpTrue);
    program.view.setUint8(i * 8 + 3, jumpFalse);
    program.view.setUint32(i * 8 + 4, operand, true);
  });
  const head = nativeMemory(16);
  head.view.setUint16(0, filter.length, true);
  head.view.setBigUint64(8, BigInt(program.address), true);
  const { setsockopt } = openLibc(SOCKET_FUNCTIONS);
  const outcome = setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, head.address, 16);
  return outcome === 0 ? undefined : systemError(errno(), "setsockopt", "SO_ATTACH_FILTER");
}

function setOption(
  descriptor: number,
  option: number,
  words: readonly number[],
  name: string,
): SystemError | undefined {
  const memory = nativeMemory(words.length * 4);
  for (const [i, word] of words.entries()) memory.view.setUint32(i * 4, word, true);
  const { setsockopt } = openLibc(SOCKET_FUNCTIONS);
  const outcome = setsockopt(descriptor, SOL_PACKET, option, memory.address, words.length * 4);
  return outcome === 0 ? undefined : systemError(errno(), "setsockopt", name);
}

/** The ring as memory. After `closeCapture` it must not be touched. */
export function ringMemory(capture: CaptureSocket): ArrayBuffer {
  return memoryAt(capture.ring, capture.ringBytes);
}

/** Packets that found no room in the ring since the last call: the kernel begins anew with each. */
export function takeDropped(capture: CaptureSocket): number {
  const statistics = nativeMemory(8);
  const byteLength = nativeMemory(4);
  byteLength.words[0] = 8;
  const { getsockopt } = openLibc(SOCKET_FUNCTIONS);
  getsockopt(
    capture.descriptor,
    SOL_PACKET,
    PACKET_STATISTICS,
    statistics.address,
    byteLength.address,
  );
  return (statistics.words[1] as number) >>> 0;
}

export function closeCapture(capture: CaptureSocket): void {
  openLibc(SHARED_FILE_FUNCTIONS).munmap(capture.ring, capture.ringBytes);
  closeDescriptor(capture.descriptor);
}
