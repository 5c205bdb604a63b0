/**
 * Which persistent databases must not be trusted, and why: `persistent_health.tdb.<pnn>` in the state
 * directory, database name → reason (docs/database.md, "Health"). A healthy one has no entry.
 *
 * Invariants:
 * 1. Updates run one after another, each in a transaction of its own.
 * 2. A damaged file is set aside by emptying it; every persistent database counts as unhealthy then.
 * 3. The file is read once, at the start: only this process writes it, and a lock that somebody keeps on it
 *    later says nothing about a database.
 */
import { done, err, type Result } from "../../base/result.ts";
import { TDB_FLAGS, type Tdb, type TdbResult } from "../../tdb/types.ts";
import { bytesText, textBytes } from "../../wire/codec.ts";
import type { DatabaseHost } from "../host.ts";
import { type Attempt, BusyWait, retryWhileBusy } from "../retry_while_busy.ts";
import { runTdbWork } from "../slices.ts";
import { ATTACH_RETRY_MS, ATTACH_TIMEOUT_MS } from "./limits.ts";

/** Of the start, which waits and says so: busy is not damaged, and nothing is known without the file. */
const START_LIMITS = { timeoutMs: Number.POSITIVE_INFINITY, retryMs: ATTACH_RETRY_MS };
const UPDATE_LIMITS = { timeoutMs: ATTACH_TIMEOUT_MS, retryMs: ATTACH_RETRY_MS };
/** Of a reason as it is read: it goes to logs and clients, and the file may hold anything. */
const REASON_BYTES_MAX = 1024;
const NO_HEALTHY_NODES = "NO-HEALTHY-NODES - ";

export class PersistentHealth {
  readonly #host: DatabaseHost;
  readonly #path: string;
  #tdb: Tdb | undefined;
  /** Database name → reason, as in the file. */
  readonly #reasons = new Map<string, string>();
  #cancelStart: (() => void) | undefined;
  #updates: (() => void)[] = [];
  #updating = false;
  /** Set when the file had to be emptied: the reason for every database attached at start. */
  clearedReason: string | undefined;

  constructor(host: DatabaseHost) {
    this.#host = host;
    this.#path = `${host.directories.state}/persistent_health.tdb.${host.pnn}`;
  }

  /** Before anything else; `finished` gets the reason when there is no way. */
  open(finished: (outcome: Result<void>) => void): void {
    if (this.#tdb !== undefined) {
      finished(done);
      return;
    }
    this.#open(0, (opened) => {
      if (opened.ok) return this.#check(opened.value, finished);
      this.#clear(opened.error.reason, finished);
    });
  }

  #open(extraFlags: number, finished: (outcome: TdbResult<Tdb>) => void): void {
    const options = {
      path: this.#path,
      flags: TDB_FLAGS.DISALLOW_NESTING | extraFlags,
      hashSize: 0,
      create: true,
      mode: 0o600,
    };
    this.#wait((tried) => tried(this.#host.tdbs.open(options)), finished);
  }

  #wait<T>(
    attempt: Attempt<T>,
    finished: (outcome: TdbResult<T>) => void,
    cancelled = (): void => {},
  ): void {
    const wait = new BusyWait(this.#host, `"${this.#path}"`, START_LIMITS, attempt, finished);
    this.#cancelStart = () => {
      wait.cancel();
      cancelled();
    };
    wait.start();
  }

  #check(tdb: Tdb, finished: (outcome: Result<void>) => void): void {
    const attempt: Attempt<void> = (tried) => {
      runTdbWork(this.#host, "check health", tdb.check(), tried);
    };
    const checked = (outcome: TdbResult<void>): void => {
      this.#cancelStart = undefined;
      if (outcome.ok) {
        this.#tdb = tdb;
        finished(done);
      } else {
        tdb.close();
        this.#clear(outcome.error.reason, finished);
      }
    };
    const readNext = (outcome: TdbResult<void>): void => {
      if (outcome.ok)
        this.#wait(
          (tried) => tried(this.#read(tdb)),
          checked,
          () => tdb.close(),
        );
      else checked(outcome);
    };
    this.#wait(attempt, readNext, () => tdb.close());
  }

  #clear(why: string, finished: (outcome: Result<void>) => void): void {
    if (this.clearedReason !== undefined) {
      finished(err(`Cannot open "${this.#path}": ${why}`));
      return;
    }
    this.#host.log.error(`Clearing "${this.#path}", which cannot be used: ${why}`);
    this.clearedReason = `WARNING - '${this.#path}' was cleared after a failure - manual verification needed`;
    this.#open(TDB_FLAGS.CLEAR_IF_FIRST, (opened) => {
      if (!opened.ok) {
        return finished(err(`Cannot clear "${this.#path}": ${opened.error.reason}`));
      }
      opened.value.close();
      this.open(finished);
    });
  }

  #read(tdb: Tdb): TdbResult<void> {
    this.#reasons.clear();
    for (let chain = 0; ; chain++) {
      chain = tdb.nextUsedChain(chain);
      if (chain >= tdb.hashSize) return done;
      const visited = tdb.visitChain(chain, (key, value) => {
        if (value.length > 0) this.#reasons.set(bytesText(key), reasonIn(value));
        return true;
      });
      if (!visited.ok) return visited;
    }
  }

  /** Why the database is not healthy; undefined when it is. */
  reasonOf(name: string): string | undefined {
    return this.#reasons.get(name);
  }

  /** Writes the reason, or removes it; `finished` gets what went wrong. */
  set(
    name: string,
    reason: string | undefined,
    finished: (problem: string | undefined) => void,
  ): void {
    this.#updates.push(() => {
      this.#write(name, reason, (outcome) => {
        this.#updating = false;
        if (outcome.ok && reason === undefined) this.#reasons.delete(name);
        else if (outcome.ok) this.#reasons.set(name, reason ?? "");
        finished(outcome.ok ? undefined : `Cannot write "${this.#path}": ${outcome.error.reason}`);
        this.#nextUpdate();
      });
    });
    this.#nextUpdate();
  }

  #nextUpdate(): void {
    if (this.#updating) return;
    const update = this.#updates.shift();
    if (update === undefined) return;
    this.#updating = true;
    update();
  }

  #write(
    name: string,
    reason: string | undefined,
    finished: (outcome: TdbResult<void>) => void,
  ): void {
    const tdb = this.#tdb;
    const notOpen: TdbResult<void> = {
      ok: false,
      error: { code: "io", reason: "the file is not open" },
    };
    if (tdb === undefined) {
      finished(notOpen);
      return;
    }
    const key = textBytes(name);
    const attempt = (): TdbResult<void> => {
      // Closed while it was busy.
      if (this.#tdb !== tdb) return notOpen;
      const started = tdb.startTransaction();
      if (!started.ok) return started;
      const changed = reason === undefined ? tdb.delete(key) : tdb.store(key, textBytes(reason));
      if (changed.ok || changed.error.code === "missing") return done;
      tdb.cancelTransaction();
      return changed;
    };
    retryWhileBusy(this.#host, `"${this.#path}"`, UPDATE_LIMITS, attempt, (outcome) => {
      if (!outcome.ok) return finished(outcome);
      this.#commit(tdb, finished);
    });
  }

  #commit(tdb: Tdb, finished: (outcome: TdbResult<void>) => void): void {
    runTdbWork(this.#host, "commit health", tdb.commit(), (outcome) => {
      if (!outcome.ok && tdb.inTransaction) tdb.cancelTransaction();
      finished(outcome);
    });
  }

  close(): void {
    this.#cancelStart?.();
    this.#cancelStart = undefined;
    this.#tdb?.close();
    this.#tdb = undefined;
  }
}

function reasonIn(value: Uint8Array): string {
  const end = value.indexOf(0);
  return bytesText(value.subarray(0, Math.min(end < 0 ? value.length : end, REASON_BYTES_MAX)));
}

/**
 * What becomes of the reason when a recovery has filled the database: gone, unless no healthy node
 * took part; then the content is worth no more than before.
 */
export function reasonAfterRecovery(
  reason: string | undefined,
  healthyNodes: number,
): string | undefined {
  if (reason === undefined || healthyNodes > 0) return undefined;
  return reason.startsWith(NO_HEALTHY_NODES) ? reason : NO_HEALTHY_NODES + reason;
}
