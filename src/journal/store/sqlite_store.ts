/**
 * The journal of one node in SQLite (`JournalStore`).
 *
 * Invariants:
 * 1. What keep() has returned is on the disk; what it has refused left no trace, and may come again.
 * 2. A file that shows to be corrupt, at the start or later, is set aside once, and a new one is begun that says so in
 *    a gap. Only what is new goes on: nobody waits for a rescue.
 * 3. A disk that is full or fails costs answers, never the process: each call tries anew.
 */
import type { Logger } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { FileSystem } from "../../platform/types/files.ts";
import { type OpenSqlite, SqlError } from "../../platform/types/sql.ts";
import type { JournalBatch } from "../../wire/journal_messages.ts";
import type { JournalFacts, JournalQuery, JournalStore, KeptEvent } from "../types.ts";
import { findEvents } from "./find.ts";
import { closeQuietly, type OpenedFile, openJournalFile } from "./journal_file.ts";
import { JournalTables } from "./journal_tables.ts";
import { keepBatch } from "./keep.ts";
import { type Retention, retainOnce } from "./retention.ts";
import { listSetAside, setAside } from "./set_aside.ts";

export interface SqliteStoreParts {
  readonly open: OpenSqlite;
  readonly files: FileSystem;
  /** Directory and name without the ending `.sqlite`; the directory is there. */
  readonly path: string;
  readonly retention: Retention;
  readonly log: Logger;
}

interface Opened {
  readonly file: OpenedFile;
  readonly tables: JournalTables;
}

const NOTHING: Omit<JournalFacts, "setAside"> = {
  events: 0,
  bytes: 0,
  oldestUs: null,
  newestUs: null,
  gaps: 0,
};

/** Never fails: a file that cannot be opened now is tried again by each call, which says why. */
export class SqliteStore implements JournalStore {
  readonly #d: SqliteStoreParts;
  #opened: Opened | undefined;
  /** What the next gap says of a file that was set aside. */
  #lostFile: string | undefined;
  #closed = false;

  constructor(parts: SqliteStoreParts) {
    this.#d = parts;
    const opened = this.#attempt(() => undefined);
    if (!opened.ok) parts.log.error(`Cannot open the journal: ${opened.error}`);
  }

  position(): { readonly ring: string; readonly kept: number } {
    const read = this.#attempt(({ tables }) => tables.newestRing());
    const ring = read.ok ? read.value : undefined;
    return { ring: ring?.name ?? "", kept: ring?.kept ?? 0 };
  }

  keep(batch: JournalBatch): Result<readonly KeptEvent[]> {
    const kept = this.#attempt(({ tables }) => keepBatch(tables, batch, this.#lostFile));
    if (!kept.ok) return err(`Cannot keep events: ${kept.error}`);
    if (kept.value.length > 0) this.#lostFile = undefined;
    return kept;
  }

  query(query: JournalQuery): Result<readonly KeptEvent[]> {
    const found = this.#attempt(({ tables }) => findEvents(tables, query));
    return found.ok ? found : err(`Cannot read the journal: ${found.error}`);
  }

  retain(nowUs: number): Result<boolean> {
    const more = this.#attempt(({ tables }) => retainOnce(tables, this.#d.retention, nowUs));
    return more.ok ? more : err(`Cannot take old events out of the journal: ${more.error}`);
  }

  facts(): JournalFacts {
    const aside = listSetAside(this.#d.files, this.#d.path);
    const read = this.#attempt(({ tables, file }) => {
      const { events, gaps, oldest_us, newest_us } = tables.summary();
      return {
        events: events as number,
        bytes: tables.number("PRAGMA page_count") * tables.number("PRAGMA page_size"),
        oldestUs: oldest_us as number | null,
        newestUs: newest_us as number | null,
        gaps: gaps as number,
        file: file.path,
      };
    });
    return { ...(read.ok ? read.value : NOTHING), setAside: aside };
  }

  close(): void {
    this.#closed = true;
    this.#forget();
  }

  /** Does `action` with the file, once more with a new one when the old one is corrupt. */
  #attempt<T>(action: (opened: Opened) => T): Result<T> {
    if (this.#closed) return err("the journal is closed");
    try {
      return this.#do(action) ?? this.#do(action) ?? err("it is corrupt, and so is a new one");
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      return err(error.message);
    }
  }

  /** undefined: the file was corrupt and was set aside. */
  #do<T>(action: (opened: Opened) => T): Result<T> | undefined {
    const file = this.#opened?.file ?? openJournalFile(this.#d.open, this.#d.path);
    if ("corrupt" in file) return this.#setAside(file.path, file.corrupt);
    try {
      this.#opened ??= this.#take(file);
      return ok(action(this.#opened));
    } catch (error) {
      const isCorrupt = error instanceof SqlError && error.failure === "corrupt";
      if (this.#opened !== undefined && !isCorrupt) throw error;
      closeQuietly(file.database);
      this.#opened = undefined;
      if (!isCorrupt) throw error;
      return this.#setAside(file.path, error.message);
    }
  }

  #take(file: OpenedFile): Opened {
    const tables = new JournalTables(file.database);
    if (file.newer !== undefined) {
      this.#d.log.warning(
        `The journal "${file.newer}" is of a newer version and is left as it is: "${file.path}" is used meanwhile`,
      );
    }
    return { file, tables };
  }

  /** Its database is closed. */
  #setAside(path: string, reason: string): Result<never> | undefined {
    const text = `The journal "${path}" is corrupt (${reason})`;
    const aside = setAside(this.#d.files, this.#d.path, path);
    if (!aside.ok) return err(`${text}. ${aside.error}`);
    this.#lostFile = `${text} and was set aside as "${aside.value}": what was kept before is there`;
    this.#d.log.error(this.#lostFile);
    return undefined;
  }

  #forget(): void {
    if (this.#opened !== undefined) closeQuietly(this.#opened.file.database);
    this.#opened = undefined;
  }
}
