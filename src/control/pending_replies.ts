/**
 * The answers that controls of this node wait for, whoever asked.
 *
 * Invariants:
 * 1. A control is answered once: a handler that answers again is not heard, and counted.
 * 2. An answer that comes before the handler has returned "later" is the handler's answer.
 * 3. When the daemon ends, whoever still waits is answered that it does.
 */
import { type ControlReply, failure, type ReplyLater } from "./control_request.ts";

export class PendingReplies {
  /** Answers to controls that had been answered: each is a fault of a handler. */
  doubles = 0;
  readonly #waiting = new Set<PendingReply>();
  #closed = false;

  /** Controls whose handler has said "later" and has not answered. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Runs a handler; `later` hears its answer if that comes after the handler has returned. */
  run(
    handle: (later: ReplyLater) => ControlReply | "later",
    later: ReplyLater,
  ): ControlReply | "later" {
    const pending = new PendingReply(later);
    const outcome = handle((reply) => this.#answer(pending, reply));
    if (outcome !== "later") this.#answer(pending, outcome);
    if (pending.early !== undefined) return pending.early;
    pending.handled = true;
    this.#waiting.add(pending);
    return "later";
  }

  close(): void {
    this.#closed = true;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const pending of waiting) {
      pending.answered = true;
      pending.later(failure("the daemon ends"));
    }
  }

  #answer(pending: PendingReply, reply: ControlReply): void {
    if (pending.answered) {
      // What ends with the daemon answers in its own time.
      if (!this.#closed) this.doubles += 1;
      return;
    }
    pending.answered = true;
    if (!pending.handled) {
      pending.early = reply;
      return;
    }
    this.#waiting.delete(pending);
    pending.later(reply);
  }
}

class PendingReply {
  readonly later: ReplyLater;
  answered = false;
  /** The handler has returned. */
  handled = false;
  early: ControlReply | undefined;

  constructor(later: ReplyLater) {
    this.later = later;
  }
}
