/**
 * One side of many TCP connections: "serve ADDRESS PORT" or "connect ADDRESS PORT COUNT". Says a line "ready" when
 * it listens or all are connected; answers each line of standard input with the numbers of its connections; ends with
 * its input. A server sends each byte back; the line "chat" makes a client send one on every connection, and on each
 * again when it comes back.
 */
import { createInterface } from "node:readline";

/** What a line is answered with, as JSON. */
export interface EndCounts {
  readonly open: number;
  readonly ended: number;
  /** Bytes that came. */
  readonly received: number;
}

/** Connected at the same time: more than a listener's queue takes would be sent again after a second. */
const CONNECTING_MAX = 64;

let open = 0;
let ended = 0;
let received = 0;
const sockets = new Set<Bun.Socket<undefined>>();
let chatting = false;

const handlers: Bun.SocketHandler<undefined> = {
  open(socket) {
    sockets.add(socket);
    open += 1;
  },
  data(socket, chunk) {
    received += chunk.length;
    if (role === "serve" || chatting) socket.write(chunk);
  },
  close(socket) {
    if (!sockets.delete(socket)) return;
    open -= 1;
    ended += 1;
  },
  error() {},
};

const [role, hostname = "", port = "", count = "0"] = process.argv.slice(2);

if (role === "serve") {
  Bun.listen<undefined>({ hostname, port: Number(port), socket: handlers });
} else {
  let left = Number(count);
  const connectSome = async () => {
    while (left > 0) {
      left -= 1;
      await Bun.connect<undefined>({ hostname, port: Number(port), socket: handlers });
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_MAX }, connectSome));
}
console.log("ready");

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "chat") {
    chatting = true;
    for (const socket of sockets) socket.write("x");
  }
  console.log(JSON.stringify({ open, ended, received } satisfies EndCounts));
}
process.exit(0);
