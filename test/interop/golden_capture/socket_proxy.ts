/** Stands between clients and a ctdbd on unix sockets and keeps what passes, in both directions. */
import { createConnection, createServer, type Server, type Socket } from "node:net";

export interface ProxiedConnection {
  readonly toDaemon: Uint8Array[];
  readonly toClient: Uint8Array[];
}

export class SocketProxy {
  readonly connections: ProxiedConnection[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(path: string, daemonPath: string) {
    this.#server = createServer((client) => {
      const connection: ProxiedConnection = { toDaemon: [], toClient: [] };
      this.connections.push(connection);
      const daemon = createConnection(daemonPath);
      this.#join(client, daemon, connection.toDaemon);
      this.#join(daemon, client, connection.toClient);
    });
    this.#server.listen(path);
  }

  #join(from: Socket, to: Socket, kept: Uint8Array[]): void {
    this.#sockets.add(from);
    from.on("data", (chunk: Uint8Array) => {
      kept.push(chunk.slice());
      to.write(chunk);
    });
    from.on("close", () => {
      this.#sockets.delete(from);
      to.end();
    });
    from.on("error", () => {});
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
