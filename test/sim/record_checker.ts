/**
 * Watches every store into the volatile databases of a simulated cluster and holds it against
 * docs/architecture.md, "What must never happen", 2: two data masters for one record in one
 * generation, or a record's RSN that goes back while its database lives in one generation.
 *
 * How: the checker hangs on the store calls of each node's TDBs. What is written while a database is
 * frozen belongs to a recovery and is not judged; when it thaws, its content is read once as the
 * starting point of the new generation.
 */
import { u64Hex } from "../../src/base/u64.ts";
import type { Tdb } from "../../src/tdb/types.ts";

interface Copy {
  readonly generation: number;
  readonly dmaster: number;
  readonly rsn: bigint;
}

/** What the checker must know of a node at the moment of a store. */
export interface WatchedDatabase {
  readonly pnn: number;
  readonly name: string;
  /** Generation in which the content is valid; undefined while frozen, detached or inactive. */
  generation(): number | undefined;
}

export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

export class RecordChecker {
  /** database → key (hex) → pnn → copy */
  readonly #copies = new Map<string, Map<string, Map<number, Copy>>>();
  storesSeen = 0;

  /** Every store of this handle is judged from now on. */
  watch(tdb: Tdb, database: WatchedDatabase): void {
    const store = tdb.store.bind(tdb);
    const storeParts = tdb.storeParts.bind(tdb);
    tdb.store = (key, data, mode) => {
      const result = store(key, data, mode);
      if (result.ok) this.#stored(database, key, data);
      return result;
    };
    tdb.storeParts = (key, head, data) => {
      const result = storeParts(key, head, data);
      if (result.ok) this.#stored(database, key, head);
      return result;
    };
  }

  /** The node's content of this database is gone or invalid: crash, stop, ban, freeze. */
  forget(pnn: number, name?: string): void {
    for (const [database, keys] of this.#copies) {
      if (name !== undefined && database !== name) continue;
      for (const copies of keys.values()) copies.delete(pnn);
    }
  }

  #stored(database: WatchedDatabase, key: Uint8Array, head: Uint8Array): void {
    const generation = database.generation();
    if (generation === undefined || head.length < 24) return;
    this.storesSeen += 1;
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const copy = {
      generation,
      dmaster: view.getUint32(8, true),
      rsn: view.getBigUint64(0, true),
    };
    const keyHex = Buffer.from(key).toString("hex");
    const copies = this.#copiesOf(database.name, keyHex);
    if (copy.dmaster === database.pnn) this.#judgeMaster(database, keyHex, copy, copies);
    copies.set(database.pnn, copy);
  }

  #judgeMaster(
    database: WatchedDatabase,
    keyHex: string,
    copy: Copy,
    copies: ReadonlyMap<number, Copy>,
  ): void {
    for (const [pnn, other] of copies) {
      if (other.generation !== copy.generation) continue;
      const where = `database ${database.name} key 0x${keyHex} generation ${u64Hex({ hi: 0, lo: copy.generation }, true)}`;
      if (pnn !== database.pnn && other.dmaster === pnn) {
        throw new InvariantViolation(
          `two data masters: ${where}: node ${database.pnn} rsn ${copy.rsn} and node ${pnn} rsn ${other.rsn}`,
        );
      }
      if (other.rsn > copy.rsn) {
        throw new InvariantViolation(
          `RSN goes back: ${where}: node ${database.pnn} stores ${copy.rsn}, node ${pnn} has ${other.rsn}`,
        );
      }
    }
  }

  #copiesOf(database: string, keyHex: string): Map<number, Copy> {
    let keys = this.#copies.get(database);
    if (keys === undefined) {
      keys = new Map();
      this.#copies.set(database, keys);
    }
    let copies = keys.get(keyHex);
    if (copies === undefined) {
      copies = new Map();
      keys.set(keyHex, copies);
    }
    return copies;
  }
}
