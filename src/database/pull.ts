/**
 * DB_PULL: every record of a frozen database goes to the asker as messages that hold record buffers;
 * the answer says how many records there were (docs/database.md, "Recovery").
 *
 * Invariants:
 * 1. The answer leaves after the last message, also on the way to a client of this node.
 * 2. It runs in slices, and pauses while too much waits to be taken. A thaw, a new transaction or a wipe in between ends it with a refusal.
 */
import { ok } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import type { TdbResult } from "../tdb/types.ts";
import { failure, type ReplyLater } from "../transport/control_request.ts";
import { encode, u32Codec } from "../wire/codec.ts";
import { RecBufferBuilder } from "../wire/rec_buffer.ts";
import type { Database } from "./database.ts";
import type { DatabaseHost } from "./host.ts";
import { PULL_PAUSE_MS, PULL_QUEUED_BYTES_MAX } from "./limits.ts";
import { withWholeDatabase } from "./marked.ts";
import { type Budget, runSliced } from "./slices.ts";

export class Pull {
  readonly #host: DatabaseHost;
  readonly #database: Database;
  readonly #destination: number;
  readonly #srvid: U64;
  readonly #reply: ReplyLater;
  readonly #buffer: RecBufferBuilder;
  readonly #forget: () => void;
  #records = 0;
  #chain = 0;
  #ended = false;

  /** Begins at once; the database is frozen. */
  constructor(
    host: DatabaseHost,
    database: Database,
    destination: number,
    srvid: U64,
    reply: ReplyLater,
  ) {
    this.#host = host;
    this.#database = database;
    this.#destination = destination;
    this.#srvid = srvid;
    this.#reply = reply;
    this.#buffer = new RecBufferBuilder(database.dbId, host.tunable("RecBufferSizeLimit"));
    this.#forget = database.freeze.whenInterrupted(() =>
      this.#end(`Database "${database.name}" was thawed or changed during a pull`),
    );
    runSliced(host, "pull", (budget) => this.#slice(budget));
  }

  #slice(budget: Budget): "done" | "more" | number {
    if (this.#ended) return "done";
    if (this.#isBehind()) return PULL_PAUSE_MS;
    // The records of a node that was out of the cluster count for nothing.
    if (!this.#database.invalidRecords) {
      const walked = withWholeDatabase(this.#database, () => this.#walk(budget));
      if (!walked.ok) {
        this.#end(
          `Cannot read database "${this.#database.name}" for a recovery: ${walked.error.reason}`,
        );
        return "done";
      }
      if (walked.value === "more") return "more";
      if (this.#buffer.count > 0) this.#send();
    }
    this.#end(undefined);
    return "done";
  }

  #walk(budget: Budget): TdbResult<"done" | "more"> {
    const { tdb } = this.#database;
    for (;;) {
      this.#chain = tdb.nextUsedChain(this.#chain);
      if (this.#chain >= tdb.hashSize) return ok("done");
      const visited = tdb.visitChain(this.#chain, this.#visit);
      if (!visited.ok) return visited;
      this.#chain += 1;
      if (budget.spent || this.#isBehind()) return ok("more");
    }
  }

  readonly #visit = (key: Uint8Array, data: Uint8Array): boolean => {
    if (!this.#buffer.fits(key.length, data.length)) this.#send();
    this.#buffer.add(0, key, data);
    return true;
  };

  /** Whoever pulls takes less than we send: what waits for it must not grow. */
  #isBehind(): boolean {
    return this.#host.queuedBytes(this.#destination, this.#srvid) > PULL_QUEUED_BYTES_MAX;
  }

  #send(): void {
    this.#host.sendMessage(this.#destination, this.#srvid, this.#buffer.finish());
    this.#records += this.#buffer.count;
    this.#buffer.reset();
  }

  #end(problem: string | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#forget();
    // A message to this node takes one turn more than an answer to one of its clients.
    this.#host.timers.soon(() =>
      this.#reply(
        problem === undefined
          ? { status: 0, data: encode(u32Codec, this.#records) }
          : failure(problem),
      ),
    );
  }
}
