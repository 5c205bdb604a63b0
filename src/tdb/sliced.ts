/**
 * Long work as a generator: the body yields where it may be interrupted, `step` runs it until the
 * slice's time is over or it has to wait.
 */
import type { Clock } from "../platform/types/time.ts";
import type { TdbFailure } from "./errors.ts";
import type { SlicedWork, TdbResult } from "./types.ts";

/** What the body asks while it works. */
export interface Slice {
  /** The time of this slice is over: yield. */
  spent(): boolean;
  /** What the body waited for is there. */
  wake(): void;
}

/** Yields "more" to go on in the next slice, "wait" when only time or somebody else can help. */
export type SlicedBody<T> = Generator<"more" | "wait", TdbResult<T>>;

const LONGEST_SLICE_MS = 5;

export class GeneratorWork<T> implements SlicedWork<T>, Slice {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #body: SlicedBody<T>;
  readonly #onCancel: () => void;
  readonly #refusal: () => TdbFailure | undefined;
  #endMs = 0;
  #result: TdbResult<T> | undefined;
  #cancelled = false;
  waiting = false;
  onWake: (() => void) | undefined;

  /** `refusal` is asked before each slice: why the body cannot go on, which is the result then. */
  constructor(
    clock: Pick<Clock, "monotonicMs">,
    body: (slice: Slice) => SlicedBody<T>,
    onCancel: () => void,
    refusal: () => TdbFailure | undefined = () => undefined,
  ) {
    this.#clock = clock;
    this.#body = body(this);
    this.#onCancel = onCancel;
    this.#refusal = refusal;
  }

  spent(): boolean {
    return this.#clock.monotonicMs() >= this.#endMs;
  }

  wake(): void {
    this.onWake?.();
  }

  step(budgetMs: number): TdbResult<T> | undefined {
    if (this.#result !== undefined || this.#cancelled) return this.#result;
    this.#result = this.#refusal();
    if (this.#result !== undefined) return this.#result;
    this.#endMs = this.#clock.monotonicMs() + Math.min(Math.max(budgetMs, 0), LONGEST_SLICE_MS);
    const next = this.#body.next();
    this.waiting = next.value === "wait";
    if (next.done === true) this.#result = next.value;
    return this.#result;
  }

  /** Ends the work where it stands; the owner decides in `onCancel` what must be given back. */
  cancel(): void {
    if (this.#result !== undefined || this.#cancelled || this.#refusal() !== undefined) return;
    this.#onCancel();
  }

  /** For `onCancel`: no further slice runs. */
  abandon(): void {
    this.#cancelled = true;
  }
}

export interface WorkEnd {
  /** Gives back what the work holds, whichever way it ends. */
  end(): void;
  /** Asked when it is cancelled; false: it goes on. */
  mayCancel?(): boolean;
  /** As in GeneratorWork. */
  refusal(): TdbFailure | undefined;
}

export function workWithEnd<T>(
  clock: Pick<Clock, "monotonicMs">,
  body: (slice: Slice) => SlicedBody<T>,
  { end, mayCancel, refusal }: WorkEnd,
): SlicedWork<T> {
  const work = new GeneratorWork<T>(
    clock,
    (slice) => withEnd(body(slice), end),
    () => {
      if (mayCancel?.() === false) return;
      work.abandon();
      end();
    },
    refusal,
  );
  return work;
}

/** Runs `end` when the body has its result, before it is returned. */
function* withEnd<T>(body: SlicedBody<T>, end: () => void): SlicedBody<T> {
  const result = yield* body;
  end();
  return result;
}
