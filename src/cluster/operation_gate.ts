/** An operation (recoveries, takeover runs) that others may disable for some time. */
import type { Timer, Timers } from "../platform/types/time.ts";

export class OperationGate {
  readonly #timers: Timers;
  readonly #onChange: (state: "disabled" | "enabled" | "expired", seconds: number) => void;
  #timer: Timer | undefined;
  /** The leader for whose own operation it is disabled. */
  #leader: number | undefined;
  inProgress = false;

  constructor(
    timers: Timers,
    onChange: (state: "disabled" | "enabled" | "expired", seconds: number) => void = () => {},
  ) {
    this.#timers = timers;
    this.#onChange = onChange;
  }

  get disabled(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * 0 seconds enable it again, unless another leader has disabled it meanwhile. "busy" while the operation runs.
   * `leader`: who does the operation meanwhile.
   */
  disable(seconds: number, leader?: number): "done" | "busy" {
    if (seconds === 0) {
      if (leader === undefined || !this.#isOfAnother(leader)) this.#enable("enabled");
      return "done";
    }
    if (this.inProgress) return "busy";
    this.#timer?.cancel();
    this.#leader = leader;
    this.#timer = this.#timers.after(seconds * 1000, () => this.#enable("expired"));
    this.#onChange("disabled", seconds);
    return "done";
  }

  /** One that has died or yielded in its operation will not enable it for others. */
  leaderIs(pnn: number): void {
    if (this.disabled && this.#isOfAnother(pnn)) this.#enable("enabled");
  }

  #isOfAnother(leader: number): boolean {
    return this.#leader !== undefined && this.#leader !== leader;
  }

  #enable(why: "enabled" | "expired"): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#leader = undefined;
    this.#onChange(why, 0);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
