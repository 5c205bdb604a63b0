/** Mutex helpers that exist only in the test, and the lock that they take, on virtual time. */
import type { SpawnOptions } from "../../src/platform/types/processes.ts";
import type { Timers } from "../../src/platform/types/time.ts";
import { FakeChild, FakeProcesses } from "./fake_processes.ts";

const ANSWER_MS = 10;
/** Longer than an answer, so that who is told too early finds the lock taken. */
const END_MS = 30;

export class FakeMutexHelpers extends FakeProcesses {
  readonly timers: Timers;
  holder: FakeChild | undefined;
  /** Helpers neither answer nor end, but by force. */
  hung = false;

  constructor(timers: Timers) {
    super();
    this.timers = timers;
  }

  protected override newChild(pid: number, options: SpawnOptions): FakeChild {
    return new FakeMutexHelper(pid, options, this);
  }
}

class FakeMutexHelper extends FakeChild {
  readonly #all: FakeMutexHelpers;

  constructor(pid: number, options: SpawnOptions, all: FakeMutexHelpers) {
    super(pid, options);
    this.#all = all;
    all.timers.after(ANSWER_MS, () => this.#answer());
  }

  override kill(signal: Parameters<FakeChild["kill"]>[0]): void {
    super.kill(signal);
    if (signal === "SIGKILL" || !this.#all.hung) this.#endSoon(signal);
  }

  #answer(): void {
    const all = this.#all;
    if (this.ended || all.hung) return;
    if (all.holder === undefined) {
      all.holder = this;
      this.write("0");
    } else {
      this.write("1");
      this.#endSoon();
    }
  }

  #endSoon(signal?: string): void {
    this.#all.timers.after(END_MS, () => {
      if (this.ended) return;
      if (this.#all.holder === this) this.#all.holder = undefined;
      this.end(signal === undefined ? 0 : undefined, signal);
    });
  }
}
