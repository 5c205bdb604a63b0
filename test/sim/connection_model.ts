/**
 * TCP connections of outside clients to public addresses, which the node that takes an address over has to know: those
 * that the former host has told it of while nothing kept the two apart.
 */
export interface ToldConnection {
  /** The host that was told by its smbd. */
  readonly pnn: number;
  readonly address: string;
  /** Of the outside client; another connection has another one. */
  readonly port: number;
  readonly sinceMs: number;
}

/** The message about it is on its way to the others for so long. */
const TOLD_MS = 2000;
/** Who was cut off before may not be connected again at once. */
const CONNECTED_MS = 10_000;

export class ConnectionModel {
  #connections: ToldConnection[] = [];

  told(connection: ToldConnection): void {
    this.#connections.push(connection);
  }

  /** The host is dead, with what it had not sent yet. */
  died(pnn: number, nowMs: number): void {
    this.forget((each) => each.pnn === pnn && each.sinceMs >= nowMs - TOLD_MS);
  }

  /** `doubtful`: the host may have something else in its list, or has told nobody. */
  forget(doubtful: (connection: ToldConnection) => boolean): void {
    if (this.#connections.length === 0) return;
    this.#connections = this.#connections.filter((connection) => !doubtful(connection));
  }

  /**
   * The address has been taken: whom that node has to tickle. The list is used up by it, but for what the node's own
   * clients told while its script worked: that is for the next one.
   */
  taken(
    address: string,
    by: { readonly pnn: number; readonly disturbedMs: number; readonly askedMs: number },
    nowMs: number,
  ): readonly number[] {
    const isLater = (each: ToldConnection) => each.pnn === by.pnn && each.sinceMs >= by.askedMs;
    const those = this.#connections.filter((connection) => connection.address === address);
    this.#connections = this.#connections.filter(
      (connection) => connection.address !== address || isLater(connection),
    );
    return those
      .filter(({ pnn }) => pnn !== by.pnn)
      .filter(({ sinceMs }) => sinceMs < nowMs - TOLD_MS)
      .filter(({ sinceMs }) => by.disturbedMs < sinceMs - CONNECTED_MS)
      .map(({ port }) => port);
  }
}
