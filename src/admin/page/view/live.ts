/**
 * What comes from the server by itself: the stream of events, and that it is there again after it was not.
 *
 * Invariants:
 * 1. There is at most one stream. One that breaks is closed here: a new one begins with a question, whose answer says whether
 *    the session still holds, and what the cluster is now.
 * 2. A path that is silent is asked: a stream alone never notices that its other end is gone.
 */
import { type Connection, heard, isSilent, lost, reconnectMs } from "../model/connection.ts";
import type { ClusterDocument, Entry } from "../model/documents.ts";
import { readCluster } from "../model/read_cluster.ts";
import { readEntry } from "../model/read_journal.ts";
import { request } from "./request.ts";

export interface LiveListener {
  connection(connection: Connection): void;
  cluster(cluster: ClusterDocument): void;
  entry(entry: Entry): void;
  /** It is there, for the first time or again: what came meanwhile was missed. */
  joined(): void;
}

export class Live {
  readonly #listener: LiveListener;
  #connection: Connection = { state: "connecting" };
  #stream: EventSource | undefined;
  #asking = false;
  #timer: number | undefined;

  constructor(listener: LiveListener) {
    this.#listener = listener;
  }

  start(): void {
    addEventListener("online", () => this.#retryNow());
    document.addEventListener("visibilitychange", () => this.#retryNow());
    void this.#join();
  }

  /** After signing in or out. */
  restart(): void {
    this.#close();
    this.#set({ state: "connecting" });
    void this.#join();
  }

  /** Each second. */
  tick(): void {
    if (isSilent(this.#connection, Date.now())) void this.#askWhetherThere();
  }

  #retryNow(): void {
    if (this.#connection.state !== "lost" || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#join();
  }

  async #join(): Promise<void> {
    if (!(await this.#ask())) return;
    this.#close();
    const stream = new EventSource("/api/v1/events");
    this.#stream = stream;
    stream.onopen = () => this.#heard();
    stream.onerror = () => this.#lose(null);
    stream.addEventListener("cluster", ({ data }) => this.#take(readCluster(parsed(data))));
    stream.addEventListener("journal", ({ data }) => {
      this.#heard();
      const entry = readEntry(parsed(data));
      if (entry !== undefined) this.#listener.entry(entry);
    });
    this.#listener.joined();
  }

  async #askWhetherThere(): Promise<void> {
    if (!this.#asking && !(await this.#ask())) this.#close();
  }

  /** Whether the cluster's document came; if not, the connection says why not. */
  async #ask(): Promise<boolean> {
    if (this.#asking) return false;
    this.#asking = true;
    const answer = await request("/api/v1/cluster");
    this.#asking = false;
    if (answer.ok) {
      this.#take(readCluster(answer.document));
      return true;
    }
    if (answer.status === 401 || answer.status === 403) {
      this.#close();
      this.#set({ state: "locked" });
    } else {
      this.#lose(answer.status === 0 ? null : answer.problem);
    }
    return false;
  }

  #take(cluster: ClusterDocument | undefined): void {
    this.#heard();
    if (cluster !== undefined) this.#listener.cluster(cluster);
  }

  #heard(): void {
    this.#set(heard(Date.now()));
  }

  #lose(reason: string | null): void {
    this.#close();
    this.#set(lost(this.#connection, reason));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#join();
    }, reconnectMs(this.#connection));
  }

  #close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  #set(connection: Connection): void {
    this.#connection = connection;
    this.#listener.connection(connection);
  }
}

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}
