/**
 * ss: iproute2's program for systems without it, as far as event scripts use it: TCP and unix sockets out of /proc/net,
 * by state and filter. Output is that of the original, always in numbers; what it cannot do it refuses.
 */
import { endianness } from "node:os";
import { bytesText } from "../../base/byte_text.ts";
import { nodeFs } from "../../platform/node/path.ts";
import { endpointText } from "../../wire/structs/connection_text.ts";
import type { Endpoint } from "../../wire/structs/socket_address.ts";
import { BufferedOutput, printErr, printOut } from "../buffered_output.ts";
import type { Role } from "../role.ts";
import { type KernelSocket, type SocketState, tcpSockets, unixSockets } from "./kernel_sockets.ts";
import { parseSs, type SsRequest } from "./ss_arguments.ts";

const NAME = "ss";
const FAILURE = 255;
const HELP = `Usage: ss [OPTIONS] [state STATE|exclude STATE]... [FILTER]
TCP and unix sockets of this host, always in numbers.

  -t, --tcp        TCP only
  -x, --unix       unix sockets only
  -4, -6           TCP over IPv4 or IPv6 only
  -l, --listening  those that listen, instead of those that are connected
  -a, --all        all states
  -n, --numeric    as without
  -H, --no-header  without the line of names
  -h, --help       this text

STATE: established, listening and so on, all or connected
FILTER: src ADDRESS[:PORT], dst, sport = :PORT, dport, joined by and, or, not, ( )
`;

export const role: Role = {
  async run(args) {
    const request = parseSs(args);
    if (request === "help") {
      printOut(HELP);
      return 0;
    }
    if (typeof request === "string") {
      printErr(`${NAME}: ${request}\n`);
      return FAILURE;
    }
    print(request);
    return 0;
  },
};

function print(request: SsRequest): void {
  const { tcp, unix, ipv4, ipv6, header, states, selects } = request;
  const littleEndian = endianness() === "LE";
  const sockets = [
    ...(tcp && ipv4 ? tcpSockets(textOf("tcp"), littleEndian) : []),
    ...(tcp && ipv6 ? tcpSockets(textOf("tcp6"), littleEndian) : []),
    ...(unix ? unixSockets(textOf("unix")) : []),
  ];
  const showsKind = unix;
  // Where only one can come, nobody asks.
  const showsState = states.size !== 1;
  const output = new BufferedOutput();
  const line = (words: readonly [kind: string, state: string, ...string[]]) => {
    const [kind, state, ...rest] = words;
    const shown = [...(showsKind ? [kind] : []), ...(showsState ? [state] : []), ...rest];
    output.out(`${shown.join(" ")}\n`);
  };
  if (header) {
    const names = ["Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port"];
    line(["Netid", "State", ...names]);
  }
  for (const socket of sockets) {
    if (!states.has(socket.state) || !selects(socket)) continue;
    const { kind, state, receiveQueue, sendQueue, local, peer, inode } = socket;
    const queues = [String(receiveQueue), String(sendQueue)];
    line([
      kind,
      SHOWN.get(state) ?? state.toUpperCase(),
      ...queues,
      endText(local, inode),
      endText(peer),
    ]);
  }
  output.flush();
}

const SHOWN = new Map<SocketState, string>([
  ["established", "ESTAB"],
  ["listening", "LISTEN"],
  ["closed", "UNCONN"],
]);

function endText(end: KernelSocket["local"], inode = "0"): string {
  if (typeof end === "string") return `${end || "*"} ${inode}`;
  return end.port === 0 ? anyPort(end) : endpointText(end);
}

function anyPort(end: Endpoint): string {
  return endpointText(end).replace(/:0$/, ":*");
}

/** A kernel without IPv6 has no list of it. */
function textOf(name: string): string {
  try {
    return bytesText(nodeFs().readFileSync(`/proc/net/${name}`));
  } catch {
    return "";
  }
}
