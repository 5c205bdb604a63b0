/**
 * Connections that were refused: each is counted, and told in the log once for a cause and a peer, until that peer is let
 * in again.
 */
import type { Logger } from "../../base/log.ts";
import { TOLD_MAX } from "./limits.ts";
import { REFUSAL_CAUSES, type Refusal, type RefusalCause } from "./peer_certificate.ts";

/** Who made the connection. */
export type Direction = "from" | "to";

export class Refusals {
  readonly #log: Logger;
  readonly #counts = new Map<RefusalCause, number>(REFUSAL_CAUSES.map((cause) => [cause, 0]));
  readonly #told = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** By cause; every cause is there. */
  get counts(): ReadonlyMap<RefusalCause, number> {
    return this.#counts;
  }

  add(direction: Direction, address: string, { cause, text }: Refusal): void {
    this.#counts.set(cause, (this.#counts.get(cause) ?? 0) + 1);
    const key = keyOf(direction, address, cause);
    if (this.#told.has(key)) return;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.add(key);
    const line = `Refused connection ${direction} ${address} (${cause}): ${text}`;
    // Whoever connects to us may give up: it is slow, or ends, and says itself what it does not like.
    if (direction === "from" && cause === "ended by the other") this.#log.info(line);
    else this.#log.error(line);
  }

  /** A connection is up: what comes next is told anew. */
  letIn(direction: Direction, address: string): void {
    for (const cause of REFUSAL_CAUSES) this.#told.delete(keyOf(direction, address, cause));
  }
}

function keyOf(direction: Direction, address: string, cause: RefusalCause): string {
  return `${direction} ${address} ${cause}`;
}
