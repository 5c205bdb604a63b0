/**
 * Addresses as text and as their 4 or 16 bytes, by the C library, with a memory: what is sent and captured in large
 * numbers has few addresses. The memory is emptied when it is full.
 */
import { nativeMemory } from "./libc.ts";
import { AF_INET, AF_INET6, addressText, socketAddress } from "./socket_address.ts";

const REMEMBERED_MAX = 8192;

export class AddressTexts {
  readonly #bytes = new Map<string, Uint8Array>();
  readonly #texts = new Map<string, string>();
  readonly #raw = nativeMemory(16);

  /** Undefined when the text is not a numeric address. */
  bytesOf(text: string): Uint8Array | undefined {
    const known = this.#bytes.get(text);
    if (known !== undefined) return known;
    const address = socketAddress(text, 0);
    if (address === undefined) return undefined;
    const { family, memory } = address;
    const bytes = family === AF_INET ? memory.bytes.slice(4, 8) : memory.bytes.slice(8, 24);
    if (this.#bytes.size >= REMEMBERED_MAX) this.#bytes.clear();
    this.#bytes.set(text, bytes);
    return bytes;
  }

  textOf(bytes: Uint8Array): string {
    const name = String.fromCharCode(...bytes);
    const known = this.#texts.get(name);
    if (known !== undefined) return known;
    this.#raw.bytes.set(bytes);
    const text = addressText(bytes.length === 4 ? AF_INET : AF_INET6, this.#raw.address);
    if (this.#texts.size >= REMEMBERED_MAX) this.#texts.clear();
    this.#texts.set(name, text);
    return text;
  }
}
