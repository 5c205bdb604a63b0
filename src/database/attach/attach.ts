/**
 * Attaching a database: an operation, because the file may be held by another process while it is
 * opened (docs/database.md, "Attach").
 *
 *     opening ──▶ checking (persistent) ──▶ attached
 *        │ ▲            │
 *        │ └── damaged, set aside once ──┘
 *        └──▶ refused
 *
 * Invariants:
 * 1. One name is attached once; who asks meanwhile waits for the same operation.
 * 2. One id belongs to one name: a collision is refused before any file is touched.
 * 3. A volatile database is empty when it is attached. One that is not, because a process of an earlier
 *    ctdbd still holds the file, is waited for, and then refused.
 * 4. A persistent file whose content cannot be that of a database of ours is set aside or refused, and
 *    never written: a recovery would replace all of it.
 * 5. An attach that somebody asked for ends: another process that keeps a lock of the file is waited for
 *    ATTACH_TIMEOUT_MS. Those of the start wait, and say so.
 * 6. What other nodes ask of a database while it is being attached waits: they attached it before, and
 *    their announcement came before their question.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Tdb, TdbResult } from "../../tdb/types.ts";
import { encode, stringZ, textBytes } from "../../wire/codec.ts";
import { createDatabase } from "../assembly.ts";
import { type Database, type DatabaseIdentity, kindOfFlags } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { valueProblem } from "../record/record_header.ts";
import { type Attempt, type BusyLimits, BusyWait } from "../retry_while_busy.ts";
import { runTdbWork } from "../slices.ts";
import { openDatabaseFile } from "./attach_file.ts";
import {
  ATTACH_RETRY_MS,
  ATTACH_TIMEOUT_MS,
  ATTACH_WAITERS_MAX,
  ATTACH_WAITING_BYTES_MAX,
  DATABASE_NAME_BYTES_MAX,
  DATABASES_MAX,
} from "./limits.ts";
import type { PersistentHealth } from "./persistent_health.ts";

/** What to do with a file that other programs than ctdbd have written. */
const PLAIN_TDB = " - a plain TDB gets record headers by `ltdbtool convert -s 0 OLD NEW`";

export type AttachOutcome = Result<Database>;

/** What waits until a database is attached. */
export interface AttachWaits {
  isAttaching(dbId: number): boolean;
  /**
   * Runs `action`, which keeps so many bytes, when the attaching of this database has ended, either way.
   * False: it is not being attached, or too much waits.
   */
  afterAttaching(dbId: number, bytes: number, action: () => void): boolean;
}

interface Attaching {
  readonly identity: DatabaseIdentity;
  readonly flags: number;
  readonly waiters: ((outcome: AttachOutcome) => void)[];
  /** A damaged persistent file may be set aside, once. */
  mayRename: boolean;
  /** How long other processes may still keep it waiting. */
  patienceMs: number;
  /** For a lock of the file. */
  wait: { cancel(): void } | undefined;
}

/**
 * How long an attach may be kept waiting by other processes: those of clients and nodes are bounded, since
 * somebody waits for an answer; those of the start are not.
 */
export type AttachPatience = "bounded" | "endless";

const TIMEOUT_MS: Record<AttachPatience, number> = {
  bounded: ATTACH_TIMEOUT_MS,
  endless: Number.POSITIVE_INFINITY,
};

function limitsOf({ patienceMs }: Attaching): BusyLimits {
  return { timeoutMs: patienceMs, retryMs: ATTACH_RETRY_MS };
}

/** Why a name cannot be a database's. It becomes part of a file name. */
export function databaseNameProblem(name: string): string | undefined {
  const bytes = textBytes(name).length;
  if (name === "") return "expected a database name, got nothing";
  if (bytes > DATABASE_NAME_BYTES_MAX) {
    return `expected a database name of at most ${DATABASE_NAME_BYTES_MAX} bytes, got ${bytes}`;
  }
  if (name.includes("/") || name.includes("\0") || name === "." || name === "..") {
    return `expected a database name that is a file name, got ${JSON.stringify(name)}`;
  }
  return undefined;
}

/** Jenkins hash of the name with its NUL. */
export function databaseId(name: string): number {
  return jenkinsHash(encode(stringZ, name));
}

export class AttachTable implements AttachWaits {
  readonly #host: DatabaseHost;
  readonly #health: PersistentHealth;
  readonly #byId: Map<number, Database>;
  readonly #attached: (database: Database) => void;
  readonly #attaching = new Map<number, Attaching>();
  /** Of all that waits by afterAttaching(). */
  #waitingBytes = 0;

  constructor(
    host: DatabaseHost,
    health: PersistentHealth,
    byId: Map<number, Database>,
    attached: (database: Database) => void,
  ) {
    this.#host = host;
    this.#health = health;
    this.#byId = byId;
    this.#attached = attached;
  }

  /** `flags`: PERSISTENT, REPLICATED or none. `finished` may run inside the call. */
  attach(
    name: string,
    flags: number,
    finished: (outcome: AttachOutcome) => void,
    patience: AttachPatience = "bounded",
  ): void {
    const problem = databaseNameProblem(name);
    if (problem !== undefined) {
      finished(err(`Cannot attach: ${problem}`));
      return;
    }
    const dbId = databaseId(name);
    const known = this.#byId.get(dbId) ?? this.#attaching.get(dbId)?.identity;
    if (known !== undefined && known.name !== name) {
      const id = `0x${dbId.toString(16)}`;
      finished(err(`Cannot attach "${name}": its id ${id} is that of database "${known.name}"`));
      return;
    }
    const attached = this.#byId.get(dbId);
    const running = this.#attaching.get(dbId);
    const haveFlags = attached?.flags ?? running?.flags;
    if (haveFlags !== undefined && (haveFlags & flags) !== flags) {
      finished(
        err(
          `Cannot attach "${name}" with flags 0x${flags.toString(16)}: it has flags 0x${haveFlags.toString(16)}`,
        ),
      );
      return;
    }
    if (attached !== undefined) {
      finished(ok(attached));
      return;
    }
    if (running !== undefined) {
      running.waiters.push(finished);
      return;
    }
    if (this.#byId.size + this.#attaching.size >= DATABASES_MAX) {
      finished(err(`Cannot attach "${name}": ${DATABASES_MAX} databases are attached`));
      return;
    }
    this.#begin(name, dbId, flags, finished, patience);
  }

  /** The daemon ends: nobody is told any more. */
  close(): void {
    for (const { wait } of this.#attaching.values()) wait?.cancel();
    this.#attaching.clear();
  }

  isAttaching(dbId: number): boolean {
    return this.#attaching.size > 0 && this.#attaching.has(dbId);
  }

  afterAttaching(dbId: number, bytes: number, action: () => void): boolean {
    const attaching = this.#attaching.get(dbId);
    if (attaching === undefined || attaching.waiters.length >= ATTACH_WAITERS_MAX) return false;
    if (this.#waitingBytes + bytes > ATTACH_WAITING_BYTES_MAX) return false;
    this.#waitingBytes += bytes;
    attaching.waiters.push(() => {
      this.#waitingBytes -= bytes;
      action();
    });
    return true;
  }

  #begin(
    name: string,
    dbId: number,
    flags: number,
    finished: (outcome: AttachOutcome) => void,
    patience: AttachPatience,
  ): void {
    const kind = kindOfFlags(flags);
    const { directories, pnn } = this.#host;
    const directory = kind === "persistent" ? directories.persistent : directories.volatile;
    const attaching: Attaching = {
      identity: { name, dbId, kind, path: `${directory}/${name}.${pnn}` },
      flags,
      waiters: [finished],
      mayRename: this.#host.runstateBefore("RUNNING"),
      patienceMs: TIMEOUT_MS[patience],
      wait: undefined,
    };
    this.#attaching.set(dbId, attaching);
    if (kind !== "persistent") {
      this.#open(attaching);
      return;
    }
    const unhealthy = this.#health.reasonOf(name);
    if (unhealthy === undefined) {
      this.#open(attaching);
      return;
    }
    const warning = `tdb ${attaching.identity.path} is marked as unhealthy: ${unhealthy}`;
    if (!attaching.mayRename) {
      this.#refuse(attaching, warning);
      return;
    }
    this.#host.log.warning(warning);
    this.#open(attaching);
  }

  #open(attaching: Attaching): void {
    const { identity } = attaching;
    const { clock } = this.#host;
    const sinceMs = clock.monotonicMs();
    let opening: { cancel(): void } | undefined;
    const attempt: Attempt<Tdb> = (tried) => {
      opening = openDatabaseFile(this.#host, identity, tried);
    };
    const finished = (opened: TdbResult<Tdb>): void => {
      attaching.patienceMs -= clock.monotonicMs() - sinceMs;
      if (!opened.ok) this.#openFailed(attaching, opened.error.code, opened.error.reason);
      else if (identity.kind === "persistent") this.#check(attaching, opened.value);
      else this.#becomeAttached(attaching, opened.value);
    };
    const what = `database file "${identity.path}"`;
    const wait = new BusyWait(this.#host, what, limitsOf(attaching), attempt, finished);
    attaching.wait = {
      cancel: () => {
        wait.cancel();
        opening?.cancel();
      },
    };
    wait.start();
  }

  #openFailed(attaching: Attaching, code: string, reason: string, advice = ""): void {
    const { kind, path } = attaching.identity;
    // What is asked for is always supported: "unsupported" speaks of the content, like "corrupt".
    const foreign = code === "corrupt" || code === "unsupported";
    if (kind === "persistent" && foreign && attaching.mayRename) {
      this.#setAside(attaching, reason, advice);
      return;
    }
    this.#refuse(attaching, `Failed to open tdb '${path}': ${reason}`);
  }

  /** A persistent file is looked through before anybody relies on it. */
  #check(attaching: Attaching, tdb: Tdb): void {
    let advice = "";
    const judge = (valueBytes: number): string | undefined => {
      const problem = valueProblem(valueBytes);
      if (problem === undefined) return undefined;
      advice = PLAIN_TDB;
      return problem + advice;
    };
    const attempt: Attempt<void> = (tried) => {
      runTdbWork(this.#host, "check", tdb.check(judge), tried);
    };
    const finished = (outcome: TdbResult<void>): void => {
      attaching.wait = undefined;
      if (outcome.ok) {
        this.#becomeAttached(attaching, tdb);
        return;
      }
      tdb.close();
      const { code, reason } = outcome.error;
      this.#openFailed(attaching, code, reason, advice);
    };
    const what = `all locks of "${attaching.identity.path}", to check it`;
    const wait = new BusyWait(this.#host, what, limitsOf(attaching), attempt, finished);
    attaching.wait = {
      cancel: () => {
        wait.cancel();
        tdb.close();
      },
    };
    wait.start();
  }

  /** Keeps the damaged file under another name and goes on with a new, unhealthy one. */
  #setAside(attaching: Attaching, why: string, advice: string): void {
    const { name, path } = attaching.identity;
    attaching.mayRename = false;
    const stamp = new Date(this.#host.clock.wallTime().sec * 1000)
      .toISOString()
      .slice(0, 19)
      .replace(/[-:T]/g, "");
    const newPath = `${path}.corrupted.${stamp}.0Z`;
    const warning = `tdb ${path} is damaged (${why}), renaming it to ${newPath}`;
    this.#host.databaseWarning(name, "damaged", warning);
    const reason = `ERROR - Backup of corrupted TDB in '${newPath}'${advice}`;
    this.#health.set(name, reason, (problem) => {
      if (this.#attaching.get(attaching.identity.dbId) !== attaching) return;
      if (problem !== undefined) return this.#refuse(attaching, problem);
      const renamed = this.#host.files.rename(path, newPath);
      if (!renamed.ok) return this.#refuse(attaching, renamed.error.message);
      this.#open(attaching);
    });
  }

  #becomeAttached(attaching: Attaching, tdb: Tdb): void {
    const { identity, flags } = attaching;
    tdb.setMaxDead(this.#host.tunable("DatabaseMaxDead"));
    const database = createDatabase(this.#host, identity, flags, tdb);
    const { name, dbId: id, kind } = identity;
    this.#host.journal.record({ kind: "database_attached", name, id, type: kind });
    const ownerDied = "a process has died while it had a record locked; the lock is free again";
    tdb.whenOwnerDied(() =>
      this.#host.databaseWarning(name, "lock owner died", `Database "${name}": ${ownerDied}`),
    );
    if (identity.kind === "persistent") {
      database.unhealthyReason = this.#health.reasonOf(identity.name);
    }
    this.#byId.set(identity.dbId, database);
    this.#attaching.delete(identity.dbId);
    this.#attached(database);
    this.#host.log.notice(
      `Attached to database '${identity.path}' with flags 0x${tdb.flags.toString(16)}`,
    );
    for (const finished of attaching.waiters) finished(ok(database));
  }

  #refuse(attaching: Attaching, reason: string): void {
    this.#attaching.delete(attaching.identity.dbId);
    this.#host.log.error(reason);
    for (const finished of attaching.waiters) finished(err(reason));
  }
}

/** Database names of the files in the persistent directory that are this node's. */
export function persistentNames(files: readonly string[], pnn: number): string[] {
  return files.flatMap((file) => {
    const match = /^(.+?\.tdb)\.([0-9]+)$/.exec(file);
    return match !== null && match[2] === String(pnn) ? [match[1] as string] : [];
  });
}
