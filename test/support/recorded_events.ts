/** A journal that keeps what it is told, for tests to look at. */
import type {
  Journal,
  JournalEvent,
  JournalEventOf,
  JournalKind,
} from "../../src/base/journal_event.ts";

export class RecordedEvents implements Journal {
  readonly events: JournalEvent[] = [];

  record(event: JournalEvent): void {
    this.events.push(event);
  }

  of<K extends JournalKind>(kind: K): readonly JournalEventOf<K>[] {
    return this.events.filter((event): event is JournalEvent & JournalEventOf<K> => {
      return event.kind === kind;
    });
  }

  /** Those since the last call. */
  take(): readonly JournalEvent[] {
    return this.events.splice(0);
  }
}
