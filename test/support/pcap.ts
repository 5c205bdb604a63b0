/**
 * Byte streams of TCP connections out of a capture file of the loopback interface (classic pcap format,
 * Ethernet frames, IPv4). Enough for a capture that tcpdump made beside us; not a general reader.
 */

export interface TcpStream {
  /** "127.0.0.1:4379>127.0.0.2:51234" */
  readonly flow: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly bytes: Uint8Array;
}

const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
const MAGIC = 0xa1b2c3d4;
const ETHERNET_HEADER_BYTES = 14;
const SYN = 0x02;

interface Segment {
  readonly sequence: number;
  readonly data: Uint8Array;
}

interface Flow {
  readonly name: string;
  readonly ports: readonly [number, number];
  /** Sequence number of the first byte. */
  start: number | undefined;
  readonly segments: Segment[];
}

export function tcpStreams(capture: Uint8Array): readonly TcpStream[] {
  const view = new DataView(capture.buffer, capture.byteOffset, capture.byteLength);
  if (view.getUint32(0, true) !== MAGIC)
    throw new Error("expected a pcap file in native byte order");
  const flows = new Map<string, Flow>();
  let at = FILE_HEADER_BYTES;
  while (at + PACKET_HEADER_BYTES <= capture.length) {
    const length = view.getUint32(at + 8, true);
    at += PACKET_HEADER_BYTES;
    addFrame(capture.subarray(at, at + length), flows);
    at += length;
  }
  return [...flows.values()].map((flow) => ({
    flow: flow.name,
    sourcePort: flow.ports[0],
    destinationPort: flow.ports[1],
    bytes: assemble(flow),
  }));
}

function addFrame(frame: Uint8Array, flows: Map<string, Flow>): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const ip = ETHERNET_HEADER_BYTES;
  if (frame.length < ip + 40 || view.getUint16(12) !== 0x0800 || view.getUint8(ip + 9) !== 6)
    return;
  const tcp = ip + (view.getUint8(ip) & 0x0f) * 4;
  const ports = [view.getUint16(tcp), view.getUint16(tcp + 2)] as const;
  const address = (offset: number) => frame.subarray(ip + offset, ip + offset + 4).join(".");
  const name = `${address(12)}:${ports[0]}>${address(16)}:${ports[1]}`;
  let flow = flows.get(name);
  if (flow === undefined) {
    flow = { name, ports, start: undefined, segments: [] };
    flows.set(name, flow);
  }
  const sequence = view.getUint32(tcp + 4);
  if ((view.getUint8(tcp + 13) & SYN) !== 0) flow.start = (sequence + 1) >>> 0;
  const data = tcp + (view.getUint8(tcp + 12) >> 4) * 4;
  const end = ip + view.getUint16(ip + 2);
  if (end > data) flow.segments.push({ sequence, data: frame.slice(data, end) });
}

/** Retransmitted bytes are dropped; a gap ends the stream. */
function assemble(flow: Flow): Uint8Array {
  const start = flow.start ?? flow.segments[0]?.sequence ?? 0;
  const placed = flow.segments
    .map(({ sequence, data }) => ({ offset: (sequence - start) >>> 0, data }))
    .sort((a, b) => a.offset - b.offset);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const { offset, data } of placed) {
    if (offset > length) break;
    const fresh = data.subarray(length - offset);
    parts.push(fresh);
    length += Math.max(fresh.length, 0);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
