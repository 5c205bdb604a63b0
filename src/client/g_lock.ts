/**
 * Cluster-wide locks by name, as the client library of the C tools keeps them: a record of the volatile
 * database g_lock.tdb, keyed by the name with its NUL, lists who holds the lock (docs/client.md,
 * "Locks"). smbd's own g_locks use another format in the same database: the two do not see each other.
 *
 * Invariants:
 * 1. A write lock is held by one holder, a read lock by readers only, among all that keep this format.
 * 2. The record is locked only while it is read and rewritten, never while a node is asked something.
 * 3. A holder whose process is gone loses the lock, and one of this library whose connection is: the node
 *    that it names is asked, at first sight and then every second. So does one that has given the lock back,
 *    and whose entry a recovery has brought back (holder_ids.ts); its own client does not wait for it either.
 * 4. Every wait ends at its deadline.
 */
import { err, ok, type Result } from "../base/result.ts";
import { u64Equal } from "../base/u64.ts";
import type { Random } from "../platform/types/time.ts";
import { decodeExact, encode, textBytes } from "../wire/codec.ts";
import { RECOVERY_ACTIVE } from "../wire/constants.ts";
import { type GLock, gLock, gLockList, type ServerId } from "../wire/structs/g_lock.ts";
import { HOLDER_SRVID_HIGH, type HolderId, HolderIds } from "./holder_ids.ts";
import type { RecordEnvironment, RecordFailure } from "./local_file.ts";
import type { LockedRecord } from "./locked_record.ts";
import { openRecordDatabase, type RecordDatabase } from "./record_database.ts";
import { TurnQueue } from "./turns.ts";
import type { CtdbClient } from "./types.ts";

export type LockType = "read" | "write";

export interface LockEnvironment extends RecordEnvironment {
  /** Process id, as the node knows this client by. */
  readonly pid: number;
  readonly random: Random;
}

export interface HeldLock {
  /** Gives the lock back. When that fails others find out from the node that nobody holds it. */
  release(timeoutMs: number): Promise<Result<void, RecordFailure>>;
}

const LOCK_DATABASE = "g_lock.tdb";
const READ = 0;
const WRITE = 1;
const ENTRY_BYTES = gLock.minSize;
const DELAY_MAX_MS = 50;
const ASK_AGAIN_MS = 1000;
const FIRST_DELAY_MS = 1;

export class GlobalLocks {
  readonly #client: CtdbClient;
  readonly #environment: LockEnvironment;
  readonly #records: RecordDatabase;
  readonly #ids: HolderIds;
  /** Write locks of several tasks: by name, one after the other. */
  readonly #turns = new Map<string, TurnQueue>();

  private constructor(
    client: CtdbClient,
    environment: LockEnvironment,
    records: RecordDatabase,
    ids: HolderIds,
  ) {
    this.#client = client;
    this.#environment = environment;
    this.#records = records;
    this.#ids = ids;
  }

  static async open(
    client: CtdbClient,
    environment: LockEnvironment,
    timeoutMs: number,
  ): Promise<Result<GlobalLocks, RecordFailure>> {
    const opened = await openRecordDatabase(client, environment, LOCK_DATABASE, 0, timeoutMs);
    if (!opened.ok) return opened;
    const ids = await HolderIds.open(client, environment.random);
    if (ids.ok) return ok(new GlobalLocks(client, environment, opened.value, ids.value));
    opened.value.close();
    return ids;
  }

  close(): void {
    this.#ids.close();
    this.#records.close();
  }

  /** `taskId` tells apart what one process locks; the tools use the id of the database. */
  async lock(
    name: string,
    type: LockType,
    taskId: number,
    timeoutMs: number,
  ): Promise<Result<HeldLock, RecordFailure>> {
    const deadlineMs = this.#environment.clock.monotonicMs() + timeoutMs;
    const turns = this.#turns.get(name) ?? new TurnQueue(this.#environment.timers);
    this.#turns.set(name, turns);
    if (!(await turns.enter(timeoutMs))) return held(name, timeoutMs);
    const key = textBytes(`${name}\0`);
    const id = await this.#ids.take();
    if (!id.ok) {
      turns.leave();
      return id;
    }
    const own = this.#serverId(taskId, id.value);
    const taken = await this.#take(
      key,
      { type: type === "read" ? READ : WRITE, server_id: own },
      deadlineMs,
    );
    if (!taken.ok) {
      // Who was never let in has written nothing.
      this.#ids.giveBack(id.value, taken.error.kind === "busy");
      turns.leave();
      return taken.error.kind === "busy" ? held(name, timeoutMs) : taken;
    }
    return ok({
      release: async (releaseTimeoutMs) => {
        const released = await this.#release(key, own, releaseTimeoutMs);
        this.#ids.giveBack(id.value, released.ok);
        turns.leave();
        return released;
      },
    });
  }

  #serverId(taskId: number, { unique }: HolderId): ServerId {
    const pid = { hi: 0, lo: this.#environment.pid };
    return { pid, task: taskId, vnn: this.#client.pnn, unique };
  }

  async #take(
    key: Uint8Array,
    wanted: GLock,
    deadlineMs: number,
  ): Promise<Result<void, RecordFailure>> {
    const { clock } = this.#environment;
    let asked: { readonly holder: ServerId; readonly atMs: number } | undefined;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, DELAY_MAX_MS)) {
      const tried = await this.#tryTake(key, wanted, deadlineMs);
      if (!tried.ok) return tried;
      const holder = tried.value;
      if (holder === undefined) return ok(undefined);
      const isDue =
        asked === undefined ||
        !sameServer(asked.holder, holder) ||
        clock.monotonicMs() - asked.atMs >= ASK_AGAIN_MS;
      if (isDue) {
        asked = { holder, atMs: clock.monotonicMs() };
        const gone = await this.#isGone(holder, deadlineMs);
        // The file alone would let us wait for ever.
        if (!this.#client.connected) {
          const reason = "The connection to ctdbd was lost while waiting for a lock";
          return err({ kind: "disconnected", reason, status: 0 });
        }
        if (gone) {
          const dropped = await this.#release(key, holder, deadlineMs - clock.monotonicMs());
          if (!dropped.ok) return dropped;
          continue;
        }
      }
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) return held("", 0);
      await this.#pause(Math.min(leftMs, delayMs));
    }
  }

  /** Who is in the way; undefined when the lock is taken. */
  async #tryTake(
    key: Uint8Array,
    wanted: GLock,
    deadlineMs: number,
  ): Promise<Result<ServerId | undefined, RecordFailure>> {
    return this.#withRecord(key, deadlineMs, async (record, leftMs) => {
      // One task at a time wants this lock here, so an entry of ours is one that a recovery has brought back.
      const entries = readEntries(record.data).filter(
        ({ server_id }) => !sameServer(server_id, wanted.server_id),
      );
      const other = entries.find(({ type }) => type !== READ || wanted.type !== READ);
      if (other !== undefined) return ok(other.server_id);
      const stored = await record.store(encode(gLockList, [...entries, wanted]), leftMs);
      return stored.ok ? ok(undefined) : stored;
    });
  }

  /** Takes an entry out of the list, and the last one with the record. */
  #release(
    key: Uint8Array,
    server: ServerId,
    timeoutMs: number,
  ): Promise<Result<void, RecordFailure>> {
    const deadlineMs = this.#environment.clock.monotonicMs() + timeoutMs;
    return this.#withRecord(key, deadlineMs, async (record, leftMs) => {
      const entries = readEntries(record.data);
      const rest = entries.filter(({ server_id }) => !sameServer(server_id, server));
      if (rest.length === entries.length) return ok(undefined);
      const stored = await record.store(encode(gLockList, rest), leftMs);
      if (stored.ok && rest.length === 0) {
        const request = { db_id: this.#records.database.id, header: record.header, key };
        // Nobody waits for the answer: a vacuum that was not told finds the record later.
        void this.#client.control("SCHEDULE_FOR_DELETION", request, { pnn: this.#client.pnn });
      }
      return stored;
    });
  }

  async #withRecord<T>(
    key: Uint8Array,
    deadlineMs: number,
    use: (record: LockedRecord, leftMs: number) => Promise<Result<T, RecordFailure>>,
  ): Promise<Result<T, RecordFailure>> {
    const { clock } = this.#environment;
    const timeoutMs = Math.max(0, deadlineMs - clock.monotonicMs());
    const locked = await this.#records.fetchLock(key, { timeoutMs });
    if (!locked.ok) return locked;
    try {
      return await use(locked.value, Math.max(0, deadlineMs - clock.monotonicMs()));
    } finally {
      locked.value.release();
    }
  }

  /** The node says that the process does not exist, or there is no such node now and the cluster goes on without it. */
  async #isGone(server: ServerId, deadlineMs: number): Promise<boolean> {
    const timeoutMs = () => {
      const leftMs = deadlineMs - this.#environment.clock.monotonicMs();
      return Math.max(0, Math.min(leftMs, ASK_AGAIN_MS));
    };
    if (!(await this.#isMissing(server, timeoutMs()))) return false;
    // A link that was lost may be back in a moment, and the holder never knew. Once a recovery was made without
    // its node, what it still does under the lock is void; while one is due, nobody knows.
    const options = { pnn: this.#client.pnn, timeoutMs: timeoutMs() };
    const mode = await this.#client.control("GET_RECMODE", undefined, options);
    if (!mode.ok || mode.value.status === RECOVERY_ACTIVE) return false;
    return await this.#isMissing(server, timeoutMs());
  }

  async #isMissing({ pid, unique, vnn }: ServerId, timeoutMs: number): Promise<boolean> {
    const options = { pnn: vnn, timeoutMs };
    // A process that lost its connection lives on, and has lost its locks.
    const answer =
      unique.hi === HOLDER_SRVID_HIGH
        ? await this.#client.control("CHECK_PID_SRVID", { pid: pid.lo, srvid: unique }, options)
        : await this.#client.control("PROCESS_EXISTS", pid.lo | 0, options);
    if (answer.ok) return answer.value.status !== 0;
    return answer.error.kind === "refused";
  }

  #pause(delayMs: number): Promise<void> {
    // Not in step with others that wait for the same lock.
    const jitterMs = (delayMs * (this.#environment.random.u32() % 100)) / 100;
    return new Promise((resolve) => {
      this.#environment.timers.after(delayMs / 2 + jitterMs / 2, resolve);
    });
  }
}

function held(
  name: string,
  timeoutMs: number,
): { readonly ok: false; readonly error: RecordFailure } {
  const reason = `The lock "${name}" was held elsewhere for ${timeoutMs} ms`;
  return err({ kind: "busy", reason, status: 0 });
}

/** What is no whole entry counts for nothing: smbd keeps its locks here in a format of its own. */
function readEntries(data: Uint8Array): GLock[] {
  const entries: GLock[] = [];
  for (let at = 0; at + ENTRY_BYTES <= data.length; at += ENTRY_BYTES) {
    const entry = decodeExact(gLock, data.subarray(at, at + ENTRY_BYTES));
    if (entry.ok) entries.push(entry.value);
  }
  return entries;
}

function sameServer(a: ServerId, b: ServerId): boolean {
  return (
    u64Equal(a.pid, b.pid) && a.task === b.task && a.vnn === b.vnn && u64Equal(a.unique, b.unique)
  );
}
