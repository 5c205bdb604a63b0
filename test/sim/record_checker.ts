/**
 * Watches the volatile databases of a simulated cluster and holds them against the rules: two data
 * masters for one record in one generation, an RSN that goes back, records that a recovery loses, and
 * records that the vacuum must not delete.
 *
 * How: the checker hangs on the stores of every TDB handle. Stores into a frozen or worthless
 * database belong to a recovery and are not judged one by one; instead the content of each
 * participant is read when its transaction starts, and again when it thaws as the starting point of
 * the new generation.
 *
 * Invariants that it checks:
 * 1. In one generation at most one node says of itself that it is data master of a record.
 * 2. In one generation a new data master has a higher RSN than every other node's copy, and no
 *    node's own copy goes back.
 * 3. When a data master may write a record (it is not marked as having read-only copies), no node has
 *    such a copy.
 * 4. What a participant of a recovery had is there afterwards: the copy with the highest RSN, its
 *    data unchanged, its RSN not lower. (An empty record may go.)
 * 5. All participants thaw with the same records.
 * 6. No node deletes a record that it is data master of and that has data; or an empty one while
 *    another node of the generation still has a copy with data, which a recovery could bring back; or,
 *    being its lmaster, one whose data master is another node; or, when asked to by another node,
 *    a copy newer than the one it was asked about.
 *
 * It must not change anything, and it sees no node that is not part of the generation.
 */
import { sameBytes } from "../../src/base/same_bytes.ts";
import type { Tdb } from "../../src/tdb/types.ts";
import { RECORD_FLAGS, RECORD_FLAGS_RO } from "../../src/wire/constants.ts";
import type { Judge } from "./violation.ts";

export interface Copy {
  readonly dmaster: number;
  readonly rsn: number;
  readonly flags: number;
  /** The record's data, without header; only from a reading of the whole file. */
  readonly data: Uint8Array | undefined;
}

interface StoredCopy extends Copy {
  readonly generation: number;
  readonly empty: boolean;
}

/** Key (latin1) → copy. */
export type Content = ReadonlyMap<string, Copy>;

export interface Brought {
  /**
   * Generation that the content is of; copies of another one come from the other side of a
   * partition.
   */
  readonly generation: number;
  /** undefined when it counts for nothing. */
  readonly content: Content | undefined;
  /**
   * The node became inactive meanwhile: nobody can say whether its records were read before that.
   */
  readonly doubtful?: boolean;
}

/** One recovery of one database. */
interface Recovery {
  readonly generation: number;
  readonly brought: Map<number, Brought>;
  /** What the first participant thawed with. */
  first: { readonly pnn: number; readonly content: Content } | undefined;
}

export interface RecordCheckerView {
  /** Generation in which a node's content of the database is the cluster's now, if it is. */
  validGeneration(pnn: number, name: string): number | undefined;
  /** Of the key, as the node sees it. */
  lmaster(pnn: number, key: Uint8Array): number | undefined;
}

const HEADER_BYTES = 24;
/** Of each database; an older one cannot thaw anything any more. */
const RECOVERIES_KEPT = 8;

export class RecordChecker {
  readonly #judge: Judge;
  readonly #view: RecordCheckerView;
  /** database → key → pnn → copy */
  readonly #copies = new Map<string, Map<string, Map<number, StoredCopy>>>();
  /** database → the last recoveries: several leaders may be at it */
  readonly #recoveries = new Map<string, Recovery[]>();
  /** RSN by node, database and key: deletions that other nodes ask for. */
  readonly #asked = new Map<string, number>();
  /** database → pnn → generation */
  readonly #commits = new Map<string, Map<number, number>>();
  storesSeen = 0;
  deletesSeen = 0;
  thawsSeen = 0;

  constructor(judge: Judge, view: RecordCheckerView) {
    this.#judge = judge;
    this.#view = view;
  }

  /** Every store and delete through this handle is judged from now on. */
  watch(tdb: Tdb, pnn: number, name: string): void {
    const store = tdb.store.bind(tdb);
    const storeParts = tdb.storeParts.bind(tdb);
    const remove = tdb.delete.bind(tdb);
    tdb.store = (key, data, mode) => {
      const result = store(key, data, mode);
      if (result.ok) this.#stored(pnn, name, key, data, data.length <= HEADER_BYTES);
      return result;
    };
    tdb.storeParts = (key, head, data) => {
      const result = storeParts(key, head, data);
      if (result.ok) this.#stored(pnn, name, key, head, data.length === 0);
      return result;
    };
    tdb.delete = (key) => {
      const result = remove(key);
      if (result.ok) this.#deleted(pnn, name, key);
      return result;
    };
  }

  /** The node's content is gone: it died. */
  forget(pnn: number): void {
    for (const keys of this.#copies.values()) {
      for (const copies of keys.values()) copies.delete(pnn);
    }
    for (const commits of this.#commits.values()) commits.delete(pnn);
  }

  /** A node is asked to delete its copy if it is not newer than this; the result ends that. */
  askedToDelete(pnn: number, name: string, key: Uint8Array, rsn: number): () => void {
    const id = `${pnn}/${name}/${keyText(key)}`;
    this.#asked.set(id, rsn);
    return () => this.#asked.delete(id);
  }

  /** The transaction of a recovery was committed on the node. */
  committed(pnn: number, name: string, generation: number): void {
    let commits = this.#commits.get(name);
    if (commits === undefined) {
      commits = new Map();
      this.#commits.set(name, commits);
    }
    commits.set(pnn, generation);
  }
  /** Generation of the last recovery that was; undefined: of none. */
  lastCommit(pnn: number, name: string): number | undefined {
    return this.#commits.get(name)?.get(pnn);
  }

  /** A recovery's transaction starts on the node. */
  joined(pnn: number, name: string, generation: number, brought: Brought): void {
    let recoveries = this.#recoveries.get(name);
    if (recoveries === undefined) {
      recoveries = [];
      this.#recoveries.set(name, recoveries);
    }
    let recovery = recoveries.find((known) => known.generation === generation);
    if (recovery === undefined) {
      recovery = { generation, brought: new Map(), first: undefined };
      recoveries.push(recovery);
      if (recoveries.length > RECOVERIES_KEPT) recoveries.shift();
    }
    recovery.brought.set(pnn, brought);
    recovery.first = undefined;
  }

  /**
   * The node was stopped or banned: what it brought into recoveries under way may or may not count.
   */
  becameInactive(pnn: number): void {
    for (const recoveries of this.#recoveries.values()) {
      for (const { brought } of recoveries) {
        const own = brought.get(pnn);
        if (own !== undefined) brought.set(pnn, { ...own, doubtful: true });
      }
    }
  }

  /** The node serves the database again, in this generation, and begins with this content. */
  thawed(pnn: number, name: string, generation: number, content: Content): void {
    this.thawsSeen += 1;
    const where = `recovery of ${name} to generation ${generation}, node ${pnn}`;
    const recovery = this.#recoveries.get(name)?.find((known) => known.generation === generation);
    if (recovery?.brought.has(pnn)) {
      this.#judgeRecovery(where, recovery, content);
      this.#judgeSameContent(where, pnn, recovery, content);
    }
    const keys = this.#keysOf(name);
    for (const copies of keys.values()) copies.delete(pnn);
    for (const [key, { dmaster, rsn, flags, data }] of content) {
      const copies = copiesOf(keys, key);
      const copy = { generation, dmaster, rsn, flags, data: undefined, empty: data?.length === 0 };
      if (dmaster === pnn) this.#judgeMaster(pnn, name, key, copy, copies, false);
      copies.set(pnn, copy);
    }
  }

  // --- judgements

  #judgeRecovery(where: string, recovery: Recovery, content: Content): void {
    const certain = bestCopies(recovery, false);
    const possible = bestCopies(recovery, true);
    for (const [key, best] of certain) {
      const now = content.get(key);
      const problem = whatIsWrong(now, best);
      if (problem === undefined) continue;
      const other = possible.get(key);
      if (other !== undefined && whatIsWrong(now, other) === undefined) continue;
      const had = `node ${best.pnns.join(" and ")} had rsn ${best.rsn}`;
      this.#judge.violated(`${problem}: ${where}, key ${quote(key)}: ${had}`);
    }
    for (const [key, now] of content) {
      if (possible.has(key)) continue;
      this.#judge.violated(
        `record from nowhere: ${where}, key ${quote(key)} rsn ${now.rsn}: no participant had it`,
      );
    }
  }

  #judgeSameContent(where: string, pnn: number, recovery: Recovery, content: Content): void {
    const { first } = recovery;
    if (first === undefined) {
      recovery.first = { pnn, content };
      return;
    }
    const keys = new Set([...content.keys(), ...first.content.keys()]);
    for (const key of keys) {
      const own = content.get(key);
      const other = first.content.get(key);
      if (own !== undefined && other !== undefined && own.dmaster === other.dmaster) continue;
      this.#judge.violated(
        `nodes differ after a recovery: ${where}, key ${quote(key)}: dmaster ${own?.dmaster ?? "none"}, ` +
          `on node ${first.pnn} ${other?.dmaster ?? "none"}`,
      );
    }
  }

  #stored(pnn: number, name: string, key: Uint8Array, head: Uint8Array, empty: boolean): void {
    const generation = this.#view.validGeneration(pnn, name);
    if (generation === undefined || head.length < HEADER_BYTES) return;
    this.storesSeen += 1;
    const text = keyText(key);
    const copies = copiesOf(this.#keysOf(name), text);
    const { dmaster, rsn, flags } = readHeader(head);
    const copy = { generation, dmaster, rsn, flags, data: undefined, empty };
    const own = copies.get(pnn);
    if (own !== undefined && own.generation === generation && own.rsn > copy.rsn) {
      this.#judge.violated(
        `RSN goes back: ${describe(name, text, copy)}: node ${pnn} had ${own.rsn}, stores ${copy.rsn}`,
      );
    }
    if (copy.dmaster === pnn) {
      const wasMaster = own?.generation === generation && own.dmaster === pnn;
      this.#judgeMaster(pnn, name, text, copy, copies, wasMaster);
    }
    copies.set(pnn, copy);
  }

  #deleted(pnn: number, name: string, key: Uint8Array): void {
    const text = keyText(key);
    const copies = this.#copies.get(name)?.get(text);
    const own = copies?.get(pnn);
    copies?.delete(pnn);
    const generation = this.#view.validGeneration(pnn, name);
    if (copies === undefined || own === undefined || own.generation !== generation) return;
    this.deletesSeen += 1;
    const where = `${describe(name, text, own)}: node ${pnn} deletes rsn ${own.rsn}`;
    const asked = this.#asked.get(`${pnn}/${name}/${text}`);
    if (asked !== undefined && own.rsn > asked) {
      this.#judge.violated(`a newer copy is deleted: ${where}, asked about rsn ${asked}`);
    }
    if (own.dmaster === pnn && !own.empty) {
      this.#judge.violated(`a live record is deleted: ${where}`);
    }
    for (const [otherPnn, other] of copies) {
      if (this.#view.validGeneration(otherPnn, name) !== generation) continue;
      if (other.generation !== generation) continue;
      if (own.dmaster === pnn && !other.empty) {
        this.#judge.violated(
          `a record may come back: ${where}, node ${otherPnn} has rsn ${other.rsn} with data`,
        );
      }
      if (other.dmaster === otherPnn && this.#view.lmaster(pnn, key) === pnn) {
        this.#judge.violated(
          `the lmaster forgets a data master: ${where}, node ${otherPnn} has rsn ${other.rsn}`,
        );
      }
    }
  }

  #judgeMaster(
    pnn: number,
    name: string,
    key: string,
    copy: StoredCopy,
    copies: ReadonlyMap<number, StoredCopy>,
    wasMaster: boolean,
  ): void {
    for (const [otherPnn, other] of copies) {
      if (otherPnn === pnn || other.generation !== copy.generation) continue;
      // Its content may have become worthless since.
      if (this.#view.validGeneration(otherPnn, name) !== copy.generation) continue;
      if (other.dmaster === otherPnn) {
        this.#judge.violated(
          `two data masters: ${describe(name, key, copy)}: node ${pnn} rsn ${copy.rsn} and node ${otherPnn} rsn ${other.rsn}`,
        );
      }
      const isFree = (copy.flags & RECORD_FLAGS_RO) === 0;
      if (isFree && (other.flags & RECORD_FLAGS.RO_HAVE_READONLY) !== 0) {
        this.#judge.violated(
          `a copy outlives its revoke: ${describe(name, key, copy)}: data master ${pnn} may write, node ${otherPnn} has a read-only copy`,
        );
      }
      if (other.rsn > copy.rsn || (other.rsn === copy.rsn && !wasMaster)) {
        this.#judge.violated(
          `RSN does not rise: ${describe(name, key, copy)}: data master ${pnn} stores ${copy.rsn}, node ${otherPnn} has ${other.rsn}`,
        );
      }
    }
  }

  #keysOf(database: string): Map<string, Map<number, StoredCopy>> {
    let keys = this.#copies.get(database);
    if (keys === undefined) {
      keys = new Map();
      this.#copies.set(database, keys);
    }
    return keys;
  }
}

interface BestCopies {
  rsn: number;
  pnns: number[];
  copies: Copy[];
}

interface Candidate {
  readonly pnn: number;
  readonly generation: number;
  readonly copy: Copy;
}

/**
 * By key, what the participants had with the highest RSN. Several of them may: the same data, or
 * what two sides of a partition made of the record, of which either is good. But in one generation
 * the data master's copy beats those that others still have.
 */
function bestCopies(recovery: Recovery, withDoubtful: boolean): ReadonlyMap<string, BestCopies> {
  const candidates = new Map<string, Candidate[]>();
  for (const [pnn, { generation, content, doubtful }] of recovery.brought) {
    if (doubtful === true && !withDoubtful) continue;
    for (const [key, copy] of content ?? []) {
      const known = candidates.get(key);
      const highest = known?.[0]?.copy.rsn ?? -1;
      if (copy.rsn > highest) candidates.set(key, [{ pnn, generation, copy }]);
      else if (copy.rsn === highest) known?.push({ pnn, generation, copy });
    }
  }
  const best = new Map<string, BestCopies>();
  for (const [key, all] of candidates) {
    const masters = all.filter(({ pnn, copy }) => copy.dmaster === pnn);
    const left = all.filter(
      (candidate) =>
        masters.includes(candidate) ||
        !masters.some(({ generation }) => generation === candidate.generation),
    );
    best.set(key, {
      rsn: all[0]?.copy.rsn ?? 0,
      pnns: left.map(({ pnn }) => pnn),
      copies: left.map(({ copy }) => copy),
    });
  }
  return best;
}

/** Is what there is now what should have become of the best copies? */
function whatIsWrong(now: Copy | undefined, best: BestCopies): string | undefined {
  if (now === undefined) {
    return best.copies.some(({ data }) => data?.length === 0) ? undefined : "record lost";
  }
  if (now.rsn < best.rsn) return `RSN goes back to ${now.rsn}`;
  const same = best.copies.some(({ data }) => sameData(now.data, data));
  return same ? undefined : "lost update";
}

/** The records of a database whose lock the caller holds; too short ones are none. */
export function readContent(tdb: Tdb): Content {
  const content = new Map<string, Copy>();
  for (let chain = 0; chain < tdb.hashSize; chain++) {
    tdb.visitChain(chain, (key, value) => {
      if (value.length < HEADER_BYTES) return true;
      const data = value.slice(HEADER_BYTES);
      const { dmaster, rsn, flags } = readHeader(value);
      content.set(keyText(key), { dmaster, rsn, flags, data });
      return true;
    });
  }
  return content;
}

function readHeader(bytes: Uint8Array): { dmaster: number; rsn: number; flags: number } {
  return {
    dmaster: u32At(bytes, 8),
    flags: u32At(bytes, 16),
    rsn: u32At(bytes, 0) + u32At(bytes, 4) * 0x100000000,
  };
}

/** By hand: a DataView of a fresh array costs more than all its reads. */
function u32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
}

function copiesOf(
  keys: Map<string, Map<number, StoredCopy>>,
  key: string,
): Map<number, StoredCopy> {
  let copies = keys.get(key);
  if (copies === undefined) {
    copies = new Map();
    keys.set(key, copies);
  }
  return copies;
}

/** By hand: a Buffer of a short array costs more than its text. */
function keyText(key: Uint8Array): string {
  let text = "";
  for (const byte of key) text += String.fromCharCode(byte);
  return text;
}
function quote(key: string): string {
  return JSON.stringify(key);
}
function describe(name: string, key: string, copy: StoredCopy): string {
  return `database ${name} key ${quote(key)} generation ${copy.generation}`;
}
/** Of records that are there. */
function sameData(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && sameBytes(a, b);
}
