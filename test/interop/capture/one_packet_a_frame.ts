/**
 * Rewrites the TCP streams of a capture so that every frame holds exactly one CTDB packet.
 *
 * tshark decodes one CTDB packet a segment, the one that begins there: packets behind it, and packets that
 * span segments, it does not see. Cut by their length words alone, all of them are seen; a wrong
 * length shows because the next packet does not begin with the magic number.
 */
import type { TcpStream } from "../../support/pcap.ts";

const MAGIC = 0xa1b2c3d4;
/** The frame begins with the IP header. */
const LINK_TYPE_RAW = 101;
const HEADERS_BYTES = 40;
const FRAME_BYTES_MAX = 65_535;
const FILE_HEADER_BYTES = 24;
const FRAME_HEADER_BYTES = 16;
const IP_TCP = 6;
const ACK_PUSH = 0x18;
const PACKET_BYTES_MIN = 32;

export interface CutStreams {
  readonly packets: readonly CutPacket[];
  /** Flows whose last bytes are not a whole packet. */
  readonly incomplete: readonly string[];
}

export interface CutPacket {
  readonly flow: string;
  /** Of this packet in its flow. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Throws where a length word makes no sense: nothing behind it could be trusted. */
export function cutStreams(streams: readonly TcpStream[]): CutStreams {
  const packets: CutPacket[] = [];
  const incomplete: string[] = [];
  for (const { flow, bytes } of streams) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at + 4 <= bytes.length) {
      const length = view.getUint32(at, true);
      if (length < PACKET_BYTES_MIN || length > FRAME_BYTES_MAX - HEADERS_BYTES) {
        const most = FRAME_BYTES_MAX - HEADERS_BYTES;
        throw new Error(
          `${flow}, byte ${at}: expected a packet of ${PACKET_BYTES_MIN} to ${most} bytes, its length is ${length}`,
        );
      }
      if (at + length > bytes.length) break;
      packets.push({ flow, offset: at, bytes: bytes.subarray(at, at + length) });
      at += length;
    }
    if (at < bytes.length) incomplete.push(flow);
  }
  return { packets, incomplete };
}

/** A capture file with a frame for each packet. */
export function captureOf(packets: readonly CutPacket[]): Uint8Array {
  const frames = packets.map(frameOf);
  const size = frames.reduce(
    (sum, frame) => sum + FRAME_HEADER_BYTES + frame.length,
    FILE_HEADER_BYTES,
  );
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, FRAME_BYTES_MAX, true);
  view.setUint32(20, LINK_TYPE_RAW, true);
  let at = FILE_HEADER_BYTES;
  for (const [index, frame] of frames.entries()) {
    view.setUint32(at, Math.floor(index / 1000), true);
    view.setUint32(at + 4, (index % 1000) * 1000, true);
    view.setUint32(at + 8, frame.length, true);
    view.setUint32(at + 12, frame.length, true);
    file.set(frame, at + FRAME_HEADER_BYTES);
    at += FRAME_HEADER_BYTES + frame.length;
  }
  return file;
}

function frameOf({ flow, offset, bytes }: CutPacket): Uint8Array {
  const [from = "", to = ""] = flow.split(">");
  const frame = new Uint8Array(HEADERS_BYTES + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, frame.length);
  view.setUint8(8, 64);
  view.setUint8(9, IP_TCP);
  frame.set(addressOf(from), 12);
  frame.set(addressOf(to), 16);
  view.setUint16(20, portOf(from));
  view.setUint16(22, portOf(to));
  view.setUint32(24, offset + 1);
  view.setUint32(28, 1);
  view.setUint8(32, 0x50);
  view.setUint8(33, ACK_PUSH);
  view.setUint16(34, 0xffff);
  frame.set(bytes, HEADERS_BYTES);
  return frame;
}

function addressOf(end: string): number[] {
  return (end.split(":")[0] ?? "").split(".").map(Number);
}

function portOf(end: string): number {
  return Number(end.split(":")[1]);
}
