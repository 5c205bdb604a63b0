/** `open_streams.ts SOCKET COUNT`: event streams of a ctdb-admind that are open and read until this process is ended. */
import { connect } from "node:net";

const [path = "", count = "1"] = process.argv.slice(2);
const RETRY_MS = 200;
const TRIES_MAX = 100;
const REQUEST = "GET /api/v1/events HTTP/1.1\r\nhost: node\r\n\r\n";

/** False when nobody listens. */
function open(): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once("error", () => resolve(false));
  socket.once("data", () => resolve(true));
  socket.on("data", () => {});
  socket.once("connect", () => {
    socket.write(REQUEST);
    socket.once("close", () => {
      process.stderr.write("a stream has ended\n");
      process.exit(1);
    });
  });
  return promise;
}

let opened = 0;
for (let tries = 1; opened < Number(count); tries++) {
  if (await open()) opened += 1;
  else if (tries > TRIES_MAX) throw new Error(`nobody listens at "${path}"`);
  else await Bun.sleep(RETRY_MS);
}
process.stdout.write("open\n");
