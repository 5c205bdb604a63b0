/**
 * What shall run soon, in order, with what it adds itself: `soon` of an event loop.
 *
 * Invariant: one drain runs a bounded number, so that what feeds itself starves nobody; the others stay.
 */

/** Actions of one drain; more wait for the next turn. */
const DRAIN_ACTIONS_MAX = 10_000;

export class SoonQueue {
  #actions: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#actions.length === 0;
  }

  push(action: () => void): void {
    this.#actions.push(action);
  }

  /** `after` each action. When one throws, it is gone and those behind it stay. */
  drain(after?: () => void): void {
    const actions = this.#actions;
    let index = 0;
    try {
      // `push` appends to the same array while we walk it.
      while (index < actions.length && index < DRAIN_ACTIONS_MAX) {
        const action = actions[index] as () => void;
        index += 1;
        action();
        after?.();
      }
    } finally {
      if (index === actions.length) actions.length = 0;
      else this.#actions = actions.slice(index);
    }
  }
}
