/**
 * A connection that we make, until it is up or has failed.
 *
 * Invariant: `ended` is called once, or not at all after `cancel`.
 */
import { SystemError } from "../../base/errors.ts";
import { err, type Result } from "../../base/result.ts";
import type { StreamHandlers } from "../../platform/types/network.ts";
import type { Timer } from "../../platform/types/time.ts";
import type { Handshake, SecuredStream } from "../../platform/types/tls.ts";

/** Returns what serves the stream. */
export type AttemptEnded = (
  outcome: Result<SecuredStream, SystemError>,
) => StreamHandlers | undefined;

export class OutgoingAttempt {
  readonly #ended: AttemptEnded;
  connecting: Timer | undefined;
  deadline: Timer | undefined;
  handshake: Handshake | undefined;
  over = false;

  constructor(ended: AttemptEnded) {
    this.#ended = ended;
  }

  end(outcome: Result<SecuredStream, SystemError>): StreamHandlers | undefined {
    if (this.over) return undefined;
    this.over = true;
    this.deadline?.cancel();
    return this.#ended(outcome);
  }

  fail(code: string, address: string): void {
    if (this.over) return;
    this.#stop();
    this.end(err(new SystemError(code, "tls", address)));
  }

  cancel(): void {
    if (this.over) return;
    this.over = true;
    this.deadline?.cancel();
    this.#stop();
  }

  #stop(): void {
    this.connecting?.cancel();
    this.handshake?.abort();
  }
}
