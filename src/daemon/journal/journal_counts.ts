/**
 * What events say in numbers, for metrics: how many of each kind, and how long recoveries, their steps and takeover runs
 * took. Events of children are what they say they are, so each number is looked at.
 *
 * Invariant: bounded, whatever kinds and steps are named.
 */
import { JOURNAL_KINDS } from "../../base/journal_event.ts";
import type { JournalEntry } from "../../wire/journal_messages.ts";
import { NODE_FACTS_MAX, type NodeFacts, OTHERS } from "../../wire/node_facts.ts";

type Counted<T> = { -readonly [K in keyof T]: T[K] };
type Runs = Counted<NodeFacts["takeovers"]>;
type Step = Counted<NodeFacts["recoveries"]["steps"][number]>;

const KINDS: ReadonlySet<string> = new Set(JOURNAL_KINDS);

export class JournalCounts {
  readonly #kinds = new Map<string, number>();
  readonly #recoveries: Runs = { succeeded: 0, failed: 0, total_ms: 0, last_ms: 0 };
  readonly #takeovers: Runs = { succeeded: 0, failed: 0, total_ms: 0, last_ms: 0 };
  readonly #steps = new Map<string, Step>();
  readonly #addresses = { taken: 0, released: 0, failed: 0 };

  count({ event }: Pick<JournalEntry, "event">): void {
    const { kind } = event;
    if (!KINDS.has(kind)) return;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    switch (kind) {
      case "recovery_ended":
        ended(this.#recoveries, event.succeeded === true, number(event.duration_ms));
        return;
      case "takeover_ended":
        ended(this.#takeovers, event.succeeded === true, number(event.duration_ms));
        return;
      case "recovery_step":
        this.#stepEnded(event.step, number(event.duration_ms));
        return;
      case "address_taken":
        this.#addresses[event.failure === null ? "taken" : "failed"] += 1;
        return;
      case "address_released":
        this.#addresses[event.failure === null ? "released" : "failed"] += 1;
        return;
      default:
        return;
    }
  }

  facts() {
    return {
      kinds: Object.fromEntries(this.#kinds),
      recoveries: { ...this.#recoveries, steps: [...this.#steps.values()].map(copyOf) },
      takeovers: { ...this.#takeovers },
      addresses: { ...this.#addresses },
    };
  }

  #stepEnded(name: unknown, durationMs: number): void {
    const isNamed = typeof name === "string" && name.length <= 64;
    const known = isNamed && (this.#steps.has(name) || this.#steps.size < NODE_FACTS_MAX.STEPS - 1);
    const key = known ? name : OTHERS;
    const step = this.#steps.get(key) ?? { name: key, count: 0, total_ms: 0, last_ms: 0 };
    this.#steps.set(key, step);
    step.count += 1;
    step.total_ms += durationMs;
    step.last_ms = durationMs;
  }
}

function ended(runs: Runs, succeeded: boolean, durationMs: number): void {
  runs[succeeded ? "succeeded" : "failed"] += 1;
  runs.total_ms += durationMs;
  runs.last_ms = durationMs;
}

function number(value: unknown): number {
  return typeof value === "number" && value >= 0 && value < Number.MAX_SAFE_INTEGER ? value : 0;
}

function copyOf(step: Step): Step {
  return { ...step };
}
