/**
 * A token that goes round the stations of a ring: one packet is under way at any moment, so the time of a
 * hop is the way of one packet through the daemons, and nothing waits for anything else.
 */
import { within } from "../support/until.ts";
import { TIMEOUT_MS } from "./clients.ts";

export class Ring {
  readonly #stations: number;
  readonly #pass: (from: number, to: number) => void;
  readonly #work: ((station: number) => Promise<void>) | undefined;
  #left = 0;
  #finish: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  /** `pass` sends the token on; `work` is what a station does with it before. */
  constructor(
    stations: number,
    pass: (from: number, to: number) => void,
    work?: (station: number) => Promise<void>,
  ) {
    this.#stations = stations;
    this.#pass = pass;
    this.#work = work;
  }

  /** The token is at the station: for whoever receives it. */
  arrived(station: number): void {
    if (this.#left === 0) return;
    this.#left -= 1;
    if (this.#work === undefined) this.#goOn(station);
    else this.#work(station).then(() => this.#goOn(station), this.#fail);
  }

  /** Sends the token from the first station and waits until it has arrived `hops` times; returns `hops`. */
  async go(hops: number): Promise<number> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.#left = hops;
    this.#pass(0, 1 % this.#stations);
    await within(
      `a token has made ${hops} hops`,
      TIMEOUT_MS,
      ended,
      () => `${this.#left} are left`,
    );
    return hops;
  }

  #goOn(station: number): void {
    if (this.#left === 0) this.#finish();
    else this.#pass(station, (station + 1) % this.#stations);
  }
}
