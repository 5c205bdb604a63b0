/** How many handshakes of connections that were made to us are under way. */
import { HANDSHAKES_MAX, HANDSHAKES_OF_ADDRESS_MAX } from "./limits.ts";

export class IncomingHandshakes {
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  /** The reason why there may be no other one from this address now. */
  tooMany(address: string): string | undefined {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (ofAddress < HANDSHAKES_OF_ADDRESS_MAX && this.#count < HANDSHAKES_MAX) return undefined;
    return `${ofAddress} handshakes from there are under way, and ${this.#count} in all`;
  }

  begin(address: string): void {
    this.#count += 1;
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
  }

  end(address: string): void {
    this.#count -= 1;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left <= 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}
