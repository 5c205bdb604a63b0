/**
 * Whether this node as a whole is frozen: because it became inactive, or was told so (FREEZE). The
 * freezing of single databases in a recovery is not seen here.
 *
 * Invariant: `frozen` only after every database was frozen, and not after a thaw that came in between.
 */
import type { Result } from "../../base/result.ts";
import type { DatabasePart } from "../database_part.ts";

export class NodeFreeze {
  readonly #database: DatabasePart;
  #frozen = false;
  /** Counts thaws: a freeze that ends after one no longer counts. */
  #thaws = 0;

  constructor(database: DatabasePart) {
    this.#database = database;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  freeze(done: (outcome: Result<void>) => void): void {
    const thaws = this.#thaws;
    this.#database.freezeForInactive((outcome) => {
      if (outcome.ok && thaws === this.#thaws) this.#frozen = true;
      done(outcome);
    });
  }

  thaw(): void {
    this.#thaws += 1;
    this.#frozen = false;
    this.#database.thawAll();
  }
}
