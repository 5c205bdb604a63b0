/** Nodes over plain TCP, as the original has it: who connects from a node's address is that node. */
import type { SystemError } from "../base/errors.ts";
import type { Result } from "../base/result.ts";
import type {
  AcceptNotices,
  ConnectCallback,
  Network,
  StreamHandlers,
  StreamServer,
} from "../platform/types/network.ts";
import type { Timer } from "../platform/types/time.ts";
import { CTDB_PORT } from "../wire/constants.ts";
import { CONNECT_TIMEOUT_MS } from "./limits.ts";
import {
  type IncomingStream,
  type NodeAddress,
  type NodeTransport,
  plainAddress,
} from "./node_transport.ts";

export class TcpNodeTransport implements NodeTransport {
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  listen(
    ownAddress: string,
    accept: (incoming: IncomingStream) => StreamHandlers,
    notices: AcceptNotices,
  ): Result<StreamServer, SystemError> {
    return this.#network.listenTcp(
      ownAddress,
      CTDB_PORT,
      (stream) => {
        const from = plainAddress(stream);
        return accept({ stream, from, isOf: ({ address }) => address === from });
      },
      notices,
    );
  }

  connect(to: NodeAddress, ownAddress: string, connected: ConnectCallback): Timer {
    return this.#network.connectTcp(
      {
        address: to.address,
        port: CTDB_PORT,
        localAddress: ownAddress,
        timeoutMs: CONNECT_TIMEOUT_MS,
      },
      connected,
    );
  }
}
