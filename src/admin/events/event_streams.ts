/**
 * All event streams: what happens goes to each of them, made into bytes once.
 *
 * Invariants:
 * 1. At most STREAMS_MAX; the next is refused.
 * 2. ctdbd is looked at once a second while there is a stream, however many there are, and not at all without one.
 * 3. A stream whose reader takes nothing any more is ended: what is open is read.
 */
import { textBytes } from "../../base/byte_text.ts";
import { documentLine } from "../../base/json_document.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { KeptEvent } from "../../journal/types.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { type Problem, problem } from "../api/problem.ts";
import type { ClusterWatch } from "../cluster/cluster_watch.ts";
import type { ClusterDocument } from "../cluster/document.ts";
import { eventDocument } from "../journal/documents.ts";
import { HEARTBEAT_MS, STREAMS_MAX } from "../limits.ts";
import type { JournalAnswers } from "../parts.ts";
import { EventStream, eventBytes, type PastEvents } from "./event_stream.ts";

const HEARTBEAT = textBytes(": still here\n\n");
const ENDING = eventBytes("ending", '{"reason":"ctdb-admind ends"}');
/** How long a reader may take nothing: so many heartbeats. */
const IDLE_BEATS_MAX = 4;

export interface EventStreamsParts {
  readonly timers: Timers;
  readonly journal: Pick<JournalAnswers, "query" | "sentence"> | undefined;
  readonly watch: ClusterWatch;
}

interface Open {
  readonly stream: EventStream;
  readonly mayAct: boolean;
}

export class EventStreams {
  readonly #d: EventStreamsParts;
  readonly #open = new Set<Open>();
  #beats: Timer | undefined;
  #stopWatching: (() => void) | undefined;
  /** How many were ended since their reader was too slow. */
  dropped = 0;

  constructor(parts: EventStreamsParts) {
    this.#d = parts;
  }

  get size(): number {
    return this.#open.size;
  }

  /** `lastEventId`: the cursor of the journal's event that the reader has got last. */
  open(lastEventId: number | undefined, mayAct: boolean): Result<EventStream, Problem> {
    if (this.#open.size >= STREAMS_MAX) {
      return err(problem(503, `there are ${STREAMS_MAX} event streams, as many as may be`));
    }
    const entry: Open = {
      stream: new EventStream(this.#past(), lastEventId, () => this.#forget(entry)),
      mayAct,
    };
    this.#open.add(entry);
    this.#begin();
    entry.stream.push(textBytes("retry: 2000\n\n"));
    void this.#d.watch.current().then((document) => {
      if (document.ok) entry.stream.push(clusterBytes(document.value, mayAct), "cluster");
    });
    return ok(entry.stream);
  }

  publishJournal(events: readonly KeptEvent[]): void {
    const { journal } = this.#d;
    if (this.#open.size === 0 || journal === undefined) return;
    for (const each of events) {
      const bytes = journalBytes(each, journal);
      for (const { stream } of [...this.#open]) {
        if (!stream.isReplaying) stream.push(bytes);
      }
    }
    this.#d.watch.lookSoon();
  }

  close(): void {
    for (const { stream } of [...this.#open]) stream.finish(ENDING);
  }

  #publishCluster(document: ClusterDocument): void {
    const [reading, acting] = [false, true].map((mayAct) => clusterBytes(document, mayAct));
    for (const { stream, mayAct } of [...this.#open]) {
      stream.push((mayAct ? acting : reading) as Uint8Array, "cluster");
    }
  }

  #past(): PastEvents | undefined {
    const { journal } = this.#d;
    if (journal === undefined) return undefined;
    return {
      after: (id, count) => {
        const kept = journal.query({ afterId: id, limit: count });
        return kept.ok
          ? kept.value.map((each) => ({ id: each.id, bytes: journalBytes(each, journal) }))
          : [];
      },
    };
  }

  #begin(): void {
    this.#stopWatching ??= this.#d.watch.subscribe((document) => this.#publishCluster(document));
    this.#beats ??= this.#d.timers.every(HEARTBEAT_MS, () => this.#beat());
  }

  #beat(): void {
    for (const { stream } of [...this.#open]) {
      if (!stream.beat(HEARTBEAT, IDLE_BEATS_MAX)) continue;
      this.dropped += 1;
      stream.abort("the reader takes nothing");
    }
  }

  #forget(entry: Open): void {
    this.#open.delete(entry);
    if (this.#open.size > 0) return;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#beats?.cancel();
    this.#beats = undefined;
  }
}

function journalBytes(kept: KeptEvent, journal: Pick<JournalAnswers, "sentence">): Uint8Array {
  const document = eventDocument(kept, (event) => journal.sentence(event));
  return eventBytes("journal", JSON.stringify(document), kept.id);
}

function clusterBytes(document: ClusterDocument, mayAct: boolean): Uint8Array {
  return eventBytes("cluster", documentLine({ ...document, actions: mayAct }).trimEnd());
}
