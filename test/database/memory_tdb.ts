/**
 * A small in-memory Tdb with other processes: locks can be held by "somebody else", the freelist can be
 * busy, stores can fail, commits take several steps. For tests of the database part only; the real one
 * has its own in-memory pages.
 */
import { jenkinsHash } from "../../src/base/jenkins_hash.ts";
import { err, ok } from "../../src/base/result.ts";
import type { Timers } from "../../src/platform/types/time.ts";
import type {
  JudgeRecord,
  LockMode,
  LockWait,
  LockWaiter,
  SlicedWork,
  StoreMode,
  Tdb,
  TdbError,
  TdbErrorCode,
  TdbOpener,
  TdbOpenOptions,
  TdbResult,
  VisitRecord,
} from "../../src/tdb/types.ts";
import { TDB_FLAGS } from "../../src/tdb/types.ts";

type Contents = Map<string, { key: Uint8Array; data: Uint8Array }>;
type Owner = object;

const text = (key: Uint8Array): string => Buffer.from(key).toString("latin1");
const fail = (code: TdbErrorCode, reason: string): { ok: false; error: TdbError } =>
  err({ code, reason });
/** Of keys: walks ask for those of all records again and again. */
const HASHES = new WeakMap<Uint8Array, number>();
const BUSY = fail("busy", "held elsewhere");

/** What all handles of one path share. */
export class MemoryFile {
  contents: Contents = new Map();
  sequence = 0;
  hashSize = 131;
  damaged = false;
  /** Why nobody can open it. */
  openError: TdbError | undefined;
  clearHolders = 0;
  freelistBusy = false;
  /** Next stores fail with this. */
  storeError: TdbError | undefined;
  commitSteps = 3;
  commitError: TdbError | undefined;
  readonly chainOwners = new Map<number, Owner>();
  allOwner: Owner | undefined;
  changed: () => void = () => {};

  /** Another process takes a chain, or the whole file. */
  hold(chain: number | "all"): () => void {
    const owner = {};
    if (chain === "all") this.allOwner = owner;
    else this.chainOwners.set(chain, owner);
    return () => {
      if (chain === "all" && this.allOwner === owner) this.allOwner = undefined;
      else if (chain !== "all" && this.chainOwners.get(chain) === owner) {
        this.chainOwners.delete(chain);
      }
      this.changed();
    };
  }

  takeChain(owner: Owner, chain: number): boolean {
    if (this.allOwner !== undefined || this.chainOwners.has(chain)) return false;
    this.chainOwners.set(chain, owner);
    return true;
  }
  takeAll(owner: Owner): boolean {
    if (this.allOwner !== undefined || this.chainOwners.size > 0) return false;
    this.allOwner = owner;
    return true;
  }
}

export class MemoryTdb implements Tdb {
  readonly path: string;
  flags: number;
  readonly file: MemoryFile;
  readonly #held = new Map<number, number>();
  readonly #marked = new Set<number>();
  #allMarked = false;
  #pending: Contents | undefined;
  #closed = false;
  maxDead = 0;
  stores = 0;

  constructor(path: string, flags: number, file: MemoryFile) {
    this.path = path;
    this.flags = flags;
    this.file = file;
  }
  get hashSize(): number {
    return this.file.hashSize;
  }
  get mapSize(): number {
    return this.file.contents.size;
  }
  setMaxDead(count: number): void {
    this.maxDead = count;
  }
  enableSequenceNumber(): void {
    this.flags |= TDB_FLAGS.SEQNUM;
  }
  sequenceNumber(): number {
    return this.file.sequence;
  }
  incrementSequenceNumber(): void {
    this.file.sequence += 1;
  }
  chainOf(key: Uint8Array): number {
    let hash = HASHES.get(key);
    if (hash === undefined) {
      hash = jenkinsHash(key);
      HASHES.set(key, hash);
    }
    return hash % this.hashSize;
  }

  // --- locks
  #owns(chain: number): boolean {
    return (
      this.#pending !== undefined ||
      this.#allMarked ||
      this.#marked.has(chain) ||
      (this.#held.get(chain) ?? 0) > 0 ||
      this.file.allOwner === this
    );
  }
  #mayWork(chain: number): boolean {
    if (this.#closed) throw new Error(`${this.path} is used after it was closed`);
    if (this.#owns(chain)) return true;
    return this.file.allOwner === undefined && !this.file.chainOwners.has(chain);
  }
  chainHolder(): number | undefined {
    return undefined;
  }
  whenOwnerDied(action: () => void): void {
    this.ownerDied = action;
  }
  /** A process has died with one of its locks. */
  ownerDied: () => void = () => {};

  otherUser(): number | undefined {
    return undefined;
  }
  tryLockChain(chain: number, _mode: LockMode): "granted" | "busy" {
    if (this.#closed) throw new Error(`${this.path} is used after it was closed`);
    if (!this.#owns(chain) && !this.file.takeChain(this, chain)) return "busy";
    this.#held.set(chain, (this.#held.get(chain) ?? 0) + 1);
    return "granted";
  }
  unlockChain(chain: number): void {
    const count = this.#held.get(chain) ?? 0;
    if (count === 0) throw new Error(`chain ${chain} is not locked`);
    if (count > 1) {
      this.#held.set(chain, count - 1);
      return;
    }
    this.#held.delete(chain);
    if (this.file.chainOwners.get(chain) === this) this.file.chainOwners.delete(chain);
    this.file.changed();
  }
  markChain(chain: number): void {
    this.#marked.add(chain);
  }
  unmarkChain(chain: number): void {
    this.#marked.delete(chain);
  }
  tryLockAll(_mode: LockMode): "granted" | "busy" {
    return this.file.takeAll(this) ? "granted" : "busy";
  }
  unlockAll(): void {
    this.file.allOwner = undefined;
    this.file.changed();
  }
  markAll(): TdbResult<void> {
    if (this.#allMarked) throw new Error("marked twice");
    this.#allMarked = true;
    return ok(undefined);
  }
  unmarkAll(): void {
    this.#allMarked = false;
  }

  // --- records
  get #current(): Contents {
    return this.#pending ?? this.file.contents;
  }
  fetch(key: Uint8Array): TdbResult<Uint8Array | undefined> {
    if (!this.#mayWork(this.chainOf(key))) return BUSY;
    return ok(this.#current.get(text(key))?.data.slice());
  }
  parse<T>(key: Uint8Array, visit: (data: Uint8Array) => T): TdbResult<T | undefined> {
    if (!this.#mayWork(this.chainOf(key))) return BUSY;
    const found = this.#current.get(text(key));
    return found === undefined ? fail("missing", "no such key") : ok(visit(found.data));
  }
  store(key: Uint8Array, data: Uint8Array, _mode?: StoreMode): TdbResult<void> {
    if (!this.#mayWork(this.chainOf(key)) || this.file.freelistBusy) return BUSY;
    if (this.file.storeError !== undefined) return err(this.file.storeError);
    this.stores += 1;
    this.#current.set(text(key), { key: key.slice(), data: data.slice() });
    if ((this.flags & TDB_FLAGS.SEQNUM) !== 0) this.file.sequence += 1;
    return ok(undefined);
  }
  storeParts(key: Uint8Array, head: Uint8Array, data: Uint8Array): TdbResult<void> {
    const whole = new Uint8Array(head.length + data.length);
    whole.set(head);
    whole.set(data, head.length);
    return this.store(key, whole);
  }
  delete(key: Uint8Array): TdbResult<void> {
    if (!this.#mayWork(this.chainOf(key)) || this.file.freelistBusy) return BUSY;
    return this.#current.delete(text(key)) ? ok(undefined) : fail("missing", "no such key");
  }

  recover(finished: (outcome: TdbResult<void>) => void): void {
    finished(ok(undefined));
  }

  // --- transactions
  get inTransaction(): boolean {
    return this.#pending !== undefined;
  }
  startTransaction(_options?: { marked?: boolean }): TdbResult<void> {
    if (this.#pending !== undefined) return fail("transaction_state", "nested");
    // It begins with a lock of everything; who is in the middle of one has that.
    if (this.file.allOwner === undefined) {
      if (!this.file.takeAll(this)) return BUSY;
      this.file.allOwner = undefined;
    }
    this.#pending = new Map(this.file.contents);
    return ok(undefined);
  }
  cancelTransaction(): void {
    if (this.#pending === undefined) throw new Error("no transaction to cancel");
    this.#pending = undefined;
  }
  reserve(_records: number, _bytes: number, finished: (outcome: TdbResult<void>) => void): void {
    finished(ok(undefined));
  }
  commit(): SlicedWork<void> {
    let steps = this.file.commitSteps;
    return {
      step: () => {
        steps -= 1;
        if (steps > 0) return undefined;
        const pending = this.#pending;
        this.#pending = undefined;
        if (this.file.commitError !== undefined) return err(this.file.commitError);
        if (pending === undefined) return fail("transaction_state", "none");
        this.file.contents = pending;
        return ok(undefined);
      },
      cancel() {},
    };
  }

  // --- whole file
  wipe(): TdbResult<void> {
    this.#current.clear();
    return ok(undefined);
  }
  visitChain(
    chain: number,
    visit: (key: Uint8Array, data: Uint8Array) => boolean | undefined,
  ): TdbResult<void> {
    if (!this.#mayWork(chain)) return BUSY;
    for (const { key, data } of [...this.#current.values()]) {
      if (this.chainOf(key) === chain && visit(key, data) === false) break;
    }
    return ok(undefined);
  }
  visitRecords(chain: number, visit: VisitRecord): TdbResult<number> {
    let goOn = true;
    let current = this.nextUsedChain(chain);
    while (goOn && current < this.hashSize) {
      const visited = this.visitChain(current, (key, data) => {
        const record = new Uint8Array(key.length + data.length);
        record.set(key);
        record.set(data, key.length);
        goOn = visit(record, 0, key.length, data.length) && goOn;
        return true;
      });
      if (!visited.ok) return visited;
      current = this.nextUsedChain(current + 1);
    }
    return ok(current);
  }
  nextUsedChain(chain: number): number {
    let next = this.hashSize;
    for (const { key } of this.#current.values()) {
      const used = this.chainOf(key);
      if (used >= chain && used < next) next = used;
    }
    return next;
  }
  check(judge?: JudgeRecord): SlicedWork<void> {
    const { damaged, contents } = this.file;
    const step = (): TdbResult<void> => {
      if (damaged) return fail("corrupt", "damaged for a test");
      for (const { data } of contents.values()) {
        const refused = judge?.(data.length);
        if (refused !== undefined) return fail("corrupt", refused);
      }
      return ok(undefined);
    };
    return { step, cancel() {} };
  }
  repack(): SlicedWork<void> {
    return { step: () => ok(undefined), cancel() {} };
  }
  freelistSize(): TdbResult<number> {
    return ok(0);
  }
  close(): void {
    if (this.#closed) throw new Error(`${this.path} is closed twice`);
    this.#closed = true;
    if ((this.flags & TDB_FLAGS.CLEAR_IF_FIRST) !== 0) this.file.clearHolders -= 1;
    for (const chain of this.#held.keys()) this.file.chainOwners.delete(chain);
  }
}

export class MemoryTdbs implements TdbOpener {
  readonly files = new Map<string, MemoryFile>();
  mutexesWork = true;
  /** Paths that another process is opening. */
  readonly busyPaths = new Set<string>();
  readonly opened: TdbOpenOptions[] = [];
  readonly handles = new Map<string, MemoryTdb>();

  file(path: string): MemoryFile {
    let file = this.files.get(path);
    if (file === undefined) {
      file = new MemoryFile();
      this.files.set(path, file);
    }
    return file;
  }
  open(options: TdbOpenOptions): TdbResult<Tdb> {
    this.opened.push(options);
    if (this.busyPaths.has(options.path)) return BUSY;
    const file = this.file(options.path);
    if (file.openError !== undefined) return err(file.openError);
    if ((options.flags & TDB_FLAGS.CLEAR_IF_FIRST) !== 0) {
      if (file.clearHolders === 0) {
        file.contents.clear();
        file.damaged = false;
      }
      file.clearHolders += 1;
    }
    const tdb = new MemoryTdb(options.path, options.flags, file);
    this.handles.set(options.path, tdb);
    return ok(tdb);
  }
  openInSlices(options: TdbOpenOptions): SlicedWork<Tdb> {
    return { step: () => this.open(options), cancel() {} };
  }
}

interface Waiting {
  readonly file: MemoryFile;
  readonly chain: number | "all";
  readonly granted: (outcome: TdbResult<void>) => void;
  state: "waiting" | "granted" | "released";
}

/** Grants in the order of the requests, each in a turn of its own. */
export class MemoryLockWaiter implements LockWaiter {
  readonly #timers: Timers;
  #waiting: Waiting[] = [];
  active = 0;
  mostActive = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }
  waitChain(tdb: Tdb, chain: number, granted: (outcome: TdbResult<void>) => void): LockWait {
    return this.#wait(tdb, chain, granted);
  }
  waitAll(tdb: Tdb, granted: (outcome: TdbResult<void>) => void): LockWait {
    return this.#wait(tdb, "all", granted);
  }
  #wait(tdb: Tdb, chain: number | "all", granted: (outcome: TdbResult<void>) => void): LockWait {
    const { file } = tdb as MemoryTdb;
    file.changed = () => this.#look();
    const waiting: Waiting = { file, chain, granted, state: "waiting" };
    this.#waiting.push(waiting);
    this.active += 1;
    this.mostActive = Math.max(this.mostActive, this.active);
    this.#look();
    return { release: () => this.#release(waiting) };
  }
  #release(waiting: Waiting): void {
    if (waiting.state === "released") return;
    const held = waiting.state === "granted";
    waiting.state = "released";
    this.active -= 1;
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    if (!held) return;
    const { file, chain } = waiting;
    if (chain === "all") file.allOwner = undefined;
    else file.chainOwners.delete(chain);
    this.#look();
  }
  #look(): void {
    for (const waiting of this.#waiting) {
      if (waiting.state !== "waiting") continue;
      const { file, chain } = waiting;
      const taken = chain === "all" ? file.takeAll(waiting) : file.takeChain(waiting, chain);
      if (!taken) continue;
      waiting.state = "granted";
      this.#timers.soon(() => {
        if (waiting.state === "granted") waiting.granted(ok(undefined));
      });
    }
  }
}
