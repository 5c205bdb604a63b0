/**
 * What our event loop asks of the runtime's own, the same for each: `platform/bun/runtime.ts` and
 * `platform/deno/runtime.ts` export it, and `#runtime` (package.json, "imports") is the one of the runtime that runs.
 */

export interface RuntimeLoop {
  /**
   * The runtime's loop waits, with all that is its own, until the epoll set has something to tell too, then calls
   * `woken`: once, never inside this call. What `woken` throws ends the process. Until then the process stays alive.
   */
  sleep(woken: () => void): void;
  /**
   * A descriptor that is ready while the runtime has something to do, so that it can be watched while we
   * block. Undefined where there is none. Must not be watched while the runtime sleeps on us.
   */
  readonly descriptor: number | undefined;
  /** Runs `action` when the runtime has looked at its own events without waiting. */
  afterLook(action: () => void): void;
  /** Runs what promises and the like have waiting, where the runtime lets us. */
  drainMicrotasks(): void;
}

/** For the epoll set with this descriptor. */
export type MakeRuntimeLoop = (epoll: number) => RuntimeLoop;

/** Collects what is garbage, where the runtime lets us; returns when that is done. */
export type CollectGarbage = () => void;

/** How many objects of each type there are, where the runtime tells. */
export type CountObjects = () => Readonly<Record<string, number>>;
