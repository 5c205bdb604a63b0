/**
 * Webhooks: state changes of this node's journal, POSTed to addresses of the configuration. Off unless there is one.
 *
 *     events ──▶ a queue for each address ── one POST at a time ──▶ sent, or tried again, at last given up
 *
 * Invariants:
 * 1. Nobody waits for a webhook: a queue takes WEBHOOK_QUEUE_MAX events, and loses the oldest.
 * 2. An event is tried WEBHOOK_TRIES_MAX times, each time after a longer pause; then the next one's turn comes.
 * 3. Where one goes, all of one address go in order.
 */
import type { Result } from "../base/result.ts";
import type { KeptEvent } from "../journal/types.ts";
import type { Timer, Timers } from "../platform/types/time.ts";
import {
  WEBHOOK_QUEUE_MAX,
  WEBHOOK_RETRY_MS,
  WEBHOOK_RETRY_MS_MAX,
  WEBHOOK_TRIES_MAX,
  WEBHOOKS_MAX,
} from "./limits.ts";
import type { OwnCounts } from "./metrics/metrics.ts";

/** Changes of the state of nodes, addresses and the cluster; not what happens all the time. */
const WEBHOOK_KINDS: ReadonlySet<string> = new Set([
  "action",
  "address_assigned",
  "address_released",
  "address_taken",
  "ban",
  "database_unhealthy",
  "event_failed",
  "event_recovered",
  "flags",
  "gap",
  "leader",
  "link_down",
  "link_up",
  "lock_lost",
  "process_ended",
  "process_started",
  "recovery_ended",
  "recovery_started",
  "runstate",
  "shutdown",
  "unban",
]);

export interface WebhookParts {
  readonly urls: readonly string[];
  readonly timers: Timers;
  /** The status of the answer. */
  post(url: string, body: string): Promise<Result<number>>;
  /** An event as the API shows it. */
  document(event: KeptEvent): object;
  readonly log: { warning(text: string): void };
}

export class Webhooks {
  readonly #targets: readonly Target[];
  readonly #document: WebhookParts["document"];

  constructor(parts: WebhookParts) {
    this.#targets = parts.urls.slice(0, WEBHOOKS_MAX).map((url) => new Target(url, parts));
    this.#document = parts.document;
  }

  publish(events: readonly KeptEvent[]): void {
    if (this.#targets.length === 0) return;
    for (const each of events) {
      if (!WEBHOOK_KINDS.has(each.event.kind)) continue;
      const body = JSON.stringify({ schema_version: 1, ...this.#document(each) });
      for (const target of this.#targets) target.push(body);
    }
  }

  get counts(): OwnCounts["webhooks"] {
    const sum = (name: keyof Target["counts"]) =>
      this.#targets.reduce((all, { counts }) => all + counts[name], 0);
    return { sent: sum("sent"), failed: sum("failed"), dropped: sum("dropped") };
  }

  close(): void {
    for (const target of this.#targets) target.close();
  }
}

class Target {
  readonly counts = { sent: 0, failed: 0, dropped: 0 };
  readonly #url: string;
  readonly #d: WebhookParts;
  #queue: string[] = [];
  #tries = 0;
  #state: "idle" | "posting" | "pausing" | "closed" = "idle";
  #pause: Timer | undefined;
  /** What was logged last, so that an address that is away is one line. */
  #problem = "";

  constructor(url: string, parts: WebhookParts) {
    this.#url = url;
    this.#d = parts;
  }

  push(body: string): void {
    this.#queue.push(body);
    if (this.#queue.length > WEBHOOK_QUEUE_MAX) {
      this.#queue.shift();
      this.#tries = 0;
      this.counts.dropped += 1;
    }
    if (this.#state === "idle") void this.#next();
  }

  close(): void {
    this.#state = "closed";
    this.#pause?.cancel();
  }

  async #next(): Promise<void> {
    const [body] = this.#queue;
    if (body === undefined || this.#isClosed()) {
      if (!this.#isClosed()) this.#state = "idle";
      return;
    }
    this.#state = "posting";
    const outcome = await this.#d.post(this.#url, body);
    if (this.#isClosed()) return;
    const problem = problemOf(outcome);
    this.#tell(problem);
    if (problem === "") this.#finish(body, "sent");
    else if (this.#tries + 1 >= WEBHOOK_TRIES_MAX) this.#finish(body, "failed");
    else {
      this.#tries += 1;
      this.#wait(Math.min(WEBHOOK_RETRY_MS * 4 ** (this.#tries - 1), WEBHOOK_RETRY_MS_MAX));
      return;
    }
    // Not in this turn: an address that answers at once must not keep others waiting.
    this.#wait(0);
  }

  /** It may have been dropped meanwhile. */
  #finish(body: string, end: "sent" | "failed"): void {
    if (this.#queue[0] === body) this.#queue.shift();
    this.#tries = 0;
    this.counts[end] += 1;
  }

  #wait(delayMs: number): void {
    this.#state = "pausing";
    this.#pause = this.#d.timers.after(delayMs, () => void this.#next());
  }

  #tell(problem: string): void {
    if (problem !== "" && problem !== this.#problem) {
      this.#d.log.warning(`Webhook ${withoutSecrets(this.#url)}: ${problem}`);
    }
    this.#problem = problem;
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }
}

function problemOf(outcome: Result<number>): string {
  if (!outcome.ok) return outcome.error;
  const isGood = outcome.value >= 200 && outcome.value < 300;
  return isGood ? "" : `it answers with status ${outcome.value}`;
}

/** Paths and queries of such addresses are often what lets them in. */
function withoutSecrets(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "that is none";
}
