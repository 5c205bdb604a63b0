/** The sockets that the kernel lists in /proc/net, out of its text. A line that is none is left out. */
import { type Endpoint, ipv6Text } from "../../wire/structs/socket_address.ts";

/** In the order of the kernel's numbers, from 1 on. */
export const TCP_STATES = [
  "established",
  "syn-sent",
  "syn-recv",
  "fin-wait-1",
  "fin-wait-2",
  "time-wait",
  "closed",
  "close-wait",
  "last-ack",
  "listening",
  "closing",
] as const;

export type SocketState = (typeof TCP_STATES)[number];

export interface KernelSocket {
  readonly kind: "tcp" | "u_str" | "u_dgr" | "u_seq";
  readonly state: SocketState;
  readonly receiveQueue: number;
  readonly sendQueue: number;
  /** Of a unix socket its path, which may be empty. */
  readonly local: Endpoint | string;
  readonly peer: Endpoint | string;
  /** Of a unix socket; 0 of others. */
  readonly inode: string;
}

const TCP_LINE =
  /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]{2}) ([0-9A-F]{8}):([0-9A-F]{8}) /;
/** A connection that has no socket of its own yet. */
const NEW_SYN_RECV = 12;

/** /proc/net/tcp or tcp6. `littleEndian`: as the words of its addresses are. */
export function tcpSockets(text: string, littleEndian = true): readonly KernelSocket[] {
  return text.split("\n").flatMap((line): KernelSocket[] => {
    const [, local, localPort, peer, peerPort, number, send, receive] = TCP_LINE.exec(line) ?? [];
    if (local === undefined || peer === undefined) return [];
    const state = stateOf(hex(number));
    if (state === undefined) return [];
    return [
      {
        kind: "tcp",
        state,
        receiveQueue: hex(receive),
        sendQueue: hex(send),
        local: endpoint(local, hex(localPort), littleEndian),
        peer: endpoint(peer, hex(peerPort), littleEndian),
        inode: "0",
      },
    ];
  });
}

function stateOf(number: number): SocketState | undefined {
  return number === NEW_SYN_RECV ? "syn-recv" : TCP_STATES[number - 1];
}

function hex(digits = ""): number {
  return Number.parseInt(digits, 16);
}

/** Words of four bytes, each a number of the machine. */
function endpoint(words: string, port: number, littleEndian: boolean): Endpoint {
  const bytes = new Uint8Array(words.length / 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4) {
    view.setUint32(at, hex(words.slice(2 * at, 2 * at + 8)), littleEndian);
  }
  if (bytes.length === 4) return { family: "ipv4", address: bytes.join("."), port, scope: 0 };
  return { family: "ipv6", address: ipv6Text(bytes), port, scope: 0 };
}

const UNIX_LINE =
  /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) ([0-9A-F]{4}) ([0-9A-F]{2}) +(\d+)(?: (.*))?$/;
const UNIX_KINDS = new Map([
  [1, "u_str"],
  [2, "u_dgr"],
  [5, "u_seq"],
] as const);
const ACCEPTS_CONNECTIONS = 0x10000;
const CONNECTED = 3;

/** /proc/net/unix. Who the peer is it does not say. */
export function unixSockets(text: string): readonly KernelSocket[] {
  return text.split("\n").flatMap((line): KernelSocket[] => {
    const [, flags, type, state, inode = "0", path = ""] = UNIX_LINE.exec(line) ?? [];
    const kind = UNIX_KINDS.get(hex(type) as 1);
    if (kind === undefined) return [];
    return [
      {
        kind,
        state: unixState(hex(flags), hex(state)),
        receiveQueue: 0,
        sendQueue: 0,
        local: path,
        peer: "",
        inode,
      },
    ];
  });
}

function unixState(flags: number, state: number): SocketState {
  if ((flags & ACCEPTS_CONNECTIONS) !== 0) return "listening";
  return state === CONNECTED ? "established" : "closed";
}
