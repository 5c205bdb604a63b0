/** A proxy on loopback that can stop passing anything on, both ways, without a word: a network that is cut. */
import { createConnection, createServer, type Server, type Socket } from "node:net";

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #state: { cut: boolean };

  private constructor(server: Server, port: number, sockets: Set<Socket>, state: { cut: boolean }) {
    this.#server = server;
    this.port = port;
    this.#sockets = sockets;
    this.#state = state;
  }

  /** To a port of loopback. */
  static start(targetPort: number): Promise<TcpProxy> {
    const sockets = new Set<Socket>();
    const state = { cut: false };
    const server = createServer((near) => {
      const far = createConnection({ host: "127.0.0.1", port: targetPort });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on("data", (bytes) => {
          if (!state.cut) to.write(bytes);
        });
        from.on("error", () => from.destroy());
        from.on("close", () => {
          sockets.delete(from);
          if (!state.cut) to.destroy();
        });
      }
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        resolve(new TcpProxy(server, port, sockets, state));
      });
    });
  }

  cut(): void {
    this.#state.cut = true;
  }
  /** What was cut stays lost: its connections end. */
  heal(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#state.cut = false;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
