/**
 * What the API is made of: interfaces that the role fills with the real things, and tests with theirs. The API itself knows
 * no socket, no file and no clock.
 */
import type { JournalEvent } from "../base/journal_event.ts";
import type { Result } from "../base/result.ts";
import type {
  ClusterState,
  Explanation,
  JournalFacts,
  JournalQuery,
  KeptEvent,
  MergedEvent,
  WhyQuestion,
} from "../journal/types.ts";
import type { Clock, Timers } from "../platform/types/time.ts";
import type { SourceDocument } from "../wire/journal_documents.ts";
import type { NodeFacts } from "../wire/node_facts.ts";
import type { ClusterFacts } from "./cluster/facts.ts";
import type { Rate } from "./limits.ts";

/** How a request came here; the one who serves says it, nothing in the request does. */
export type Origin =
  /** The socket's directory and mode let only root connect. */
  | { readonly kind: "unix" }
  /** `certified`: it has shown a certificate that our authority has signed. */
  | { readonly kind: "tcp"; readonly address: string; readonly certified: boolean }
  | { readonly kind: "node"; readonly node: number };

/** A run of the tool with --json. */
export interface ToolAnswer {
  readonly status: number;
  /** Standard output. */
  readonly text: string;
  /** Standard error. */
  readonly error: string;
}

export interface ToolCommand {
  readonly name: string;
  readonly summary: string;
  /** As its usage shows them; empty for none. */
  readonly args: string;
}

export interface Tool {
  /** The row of a command that is there. */
  command(name: string): ToolCommand | undefined;
  /** Its document as JSON Schema. */
  schema(name: string): Promise<Readonly<Record<string, unknown>>>;
  run(args: readonly string[]): Promise<ToolAnswer>;
}

/** What the own ctdbd says of itself, without a question to others. */
export interface OwnState {
  readonly node: number;
  readonly runstate: string;
  readonly recovering: boolean;
  /** NODE_FLAGS of this node. */
  readonly flags: number;
  readonly leader: number | null;
}

/** The own ctdbd, which may be away for a while. */
export interface Daemon {
  /** undefined: never yet connected. */
  readonly node: number | undefined;
  /** Since when it answers nothing, by the monotonic clock; undefined: it does, or was not asked. */
  readonly silentSinceMs: number | undefined;
  ownState(): Promise<Result<OwnState>>;
  /** What all nodes say that answer soon. */
  look(): Promise<Result<ClusterFacts>>;
  nodeFacts(): Promise<Result<NodeFacts>>;
}

/** With the nodes whose journals were asked. */
export interface OfNodes<T> {
  readonly value: T;
  readonly sources: readonly SourceDocument[];
}

/** The journal of this node, and answers that are made of those of all nodes. */
export interface JournalAnswers {
  query(query: JournalQuery): Result<readonly KeptEvent[]>;
  facts(): JournalFacts;
  /** What an event says, in a sentence. */
  sentence(event: MergedEvent): string;
  /** Of those nodes, or of all, in the order of a common time. */
  queryNodes(
    query: JournalQuery,
    nodes?: readonly number[],
  ): Promise<Result<OfNodes<readonly MergedEvent[]>>>;
  explain(question: WhyQuestion): Promise<Result<OfNodes<Explanation>>>;
  stateAt(atUs: number): Promise<Result<OfNodes<ClusterState>>>;
}

export interface SecretSource {
  /** Not to be guessed. */
  bytes(length: number): Uint8Array;
}

/** Who may do what; the lines of the token file. */
export interface Token {
  readonly token: string;
  readonly right: "read" | "act";
}

export interface AdminParts {
  readonly version: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly secrets: SecretSource;
  readonly log: { warning(text: string): void; notice(text: string): void };
  readonly tool: Tool;
  readonly daemon: Daemon;
  /** undefined: this node keeps none. */
  readonly journal: JournalAnswers | undefined;
  /** To the own ctdbd, as an event of ctdb-admind. */
  record(event: JournalEvent): void;
  /** The tokens as they are now. */
  tokens(): readonly Token[];
  /** `actions = yes`. */
  readonly actions: boolean;
  /** Cookies are for TLS only. */
  readonly secureCookies: boolean;
  readonly rates: { readonly requests: Rate; readonly actions: Rate; readonly wrongTokens: Rate };
  /** `metrics = yes`. */
  readonly metrics: boolean;
  /** The page: what is served without a right, since a browser brings none when it begins. */
  readonly page: readonly PageFile[];
  /** Bytes of this process that are in memory. */
  residentBytes(): number;
}

export interface PageFile {
  readonly path: string;
  readonly contentType: string;
  readonly text: string;
  /** Of the document; others get one that allows nothing. */
  readonly contentSecurityPolicy?: string;
}
