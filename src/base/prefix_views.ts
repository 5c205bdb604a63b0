/**
 * Views of the first bytes of one buffer, kept by their length: making a view costs as much as a tenth of
 * what a packet costs, and packets have few lengths.
 */

/** Packets are padded to so many bytes: a power of two. Other lengths get a view each time. */
const STEP_BYTES = 8;
const KEPT_BYTES_MAX = 1024;

export class PrefixViews {
  readonly #bytes: Uint8Array;
  readonly #views: (Uint8Array | undefined)[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The first `length` bytes. Nobody may keep it longer than the bytes are what they are. */
  of(length: number): Uint8Array {
    if (length > KEPT_BYTES_MAX || length % STEP_BYTES !== 0)
      return this.#bytes.subarray(0, length);
    const place = length / STEP_BYTES;
    let view = this.#views[place];
    if (view === undefined) {
      view = this.#bytes.subarray(0, length);
      this.#views[place] = view;
    }
    return view;
  }
}
