/**
 * Deno's own loop, as ours sees it (platform/types/runtime.ts; docs/platform.md, "The loop"): a thread of the
 * runtime waits for our epoll set.
 */
import { LOOP_FUNCTIONS } from "../libc/functions.ts";
import { nativeMemory } from "../libc/libc.ts";
import type {
  CollectGarbage,
  CountObjects,
  MakeRuntimeLoop,
  RuntimeLoop,
} from "../types/runtime.ts";
import { nativeFunction } from "./foreign.ts";

const EVENTS_MAX = 1;
const EVENT_BYTES_MAX = 16;

class DenoRuntimeLoop implements RuntimeLoop {
  readonly #epoll: number;
  readonly #event = nativeMemory(EVENTS_MAX * EVENT_BYTES_MAX);
  readonly #waiting = Deno.dlopen("libc.so.6", {
    epoll_wait: { ...nativeFunction(LOOP_FUNCTIONS.epoll_wait), nonblocking: true },
  }).symbols;
  /** The runtime's loop does not tell which descriptor it waits on. */
  readonly descriptor = undefined;

  constructor(epoll: number) {
    this.#epoll = epoll;
  }

  sleep(woken: () => void): void {
    const waited = this.#waiting.epoll_wait(
      this.#epoll,
      BigInt(this.#event.address),
      EVENTS_MAX,
      -1,
    );
    void Promise.resolve(waited).then(woken);
  }

  afterLook(action: () => void): void {
    setImmediate(action);
  }

  drainMicrotasks(): void {
    // The runtime runs them when we return to it.
  }
}

export const makeRuntimeLoop: MakeRuntimeLoop = (epoll) => new DenoRuntimeLoop(epoll);

/** There only with the engine's flag --expose-gc. */
export const collectGarbage: CollectGarbage = () => (globalThis as { gc?: CollectGarbage }).gc?.();

export const countObjects: CountObjects = () => ({});
