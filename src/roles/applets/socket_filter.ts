/**
 * What a filter of ss selects: "src ADDRESS[:PORT]", "dst", "sport = :PORT", "dport", with and, or, not and parentheses.
 * An address may stand in brackets; an IPv4 address is also that of an IPv6 socket that speaks IPv4.
 */
import { err, ok, type Result } from "../../base/result.ts";
import { type Endpoint, parseAddress } from "../../wire/structs/socket_address.ts";
import type { KernelSocket } from "./kernel_sockets.ts";

export type Selects = (socket: KernelSocket) => boolean;

class WrongFilter extends Error {}

export function parseFilter(words: readonly string[]): Result<Selects> {
  const tokens = words.join(" ").match(/\|\||&&|[!()]|[<>=!]=|[<>=|&]|[^\s()!=<>|&]+/g) ?? [];
  if (tokens.length === 0) return ok(() => true);
  try {
    return ok(new Parser(tokens).whole());
  } catch (error) {
    if (error instanceof WrongFilter) return err(error.message);
    throw error;
  }
}

const COMPARISONS = new Map<string, (left: number, right: number) => boolean>([
  ...["=", "==", "eq"].map((word) => [word, (a: number, b: number) => a === b] as const),
  ...["!=", "ne", "neq"].map((word) => [word, (a: number, b: number) => a !== b] as const),
  ...["<", "lt"].map((word) => [word, (a: number, b: number) => a < b] as const),
  ...[">", "gt"].map((word) => [word, (a: number, b: number) => a > b] as const),
  ...["<=", "le", "leq"].map((word) => [word, (a: number, b: number) => a <= b] as const),
  ...[">=", "ge", "geq"].map((word) => [word, (a: number, b: number) => a >= b] as const),
]);
const OR = new Set(["or", "|", "||"]);
const AND = new Set(["and", "&", "&&"]);
const NOT = new Set(["not", "!"]);

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  whole(): Selects {
    const selects = this.#either();
    if (this.#at < this.#tokens.length) throw this.#wrong("and, or or the end");
    return selects;
  }

  #either(): Selects {
    const left = this.#both();
    if (!this.#take(OR)) return left;
    const right = this.#either();
    return (socket) => left(socket) || right(socket);
  }

  /** What stands side by side is meant together. */
  #both(): Selects {
    const left = this.#single();
    const word = this.#tokens[this.#at];
    if (word === undefined || word === ")" || OR.has(word)) return left;
    this.#take(AND);
    const right = this.#both();
    return (socket) => left(socket) && right(socket);
  }

  #single(): Selects {
    if (this.#take(NOT)) {
      const inner = this.#single();
      return (socket) => !inner(socket);
    }
    if (this.#take(new Set(["("]))) {
      const inner = this.#either();
      if (!this.#take(new Set([")"]))) throw this.#wrong('")"');
      return inner;
    }
    const word = this.#tokens[this.#at++];
    switch (word) {
      case "src":
        return this.#address((socket) => socket.local);
      case "dst":
        return this.#address((socket) => socket.peer);
      case "sport":
        return this.#port((socket) => socket.local);
      case "dport":
        return this.#port((socket) => socket.peer);
    }
    this.#at -= 1;
    throw this.#wrong("src, dst, sport or dport");
  }

  #address(end: (socket: KernelSocket) => Endpoint | string): Selects {
    this.#take(new Set(["=", "==", "eq"]));
    const text = this.#tokens[this.#at];
    if (text === undefined) throw this.#wrong("an address");
    const wanted = text.startsWith("/") ? text : addressAndPort(text);
    if (wanted === undefined) throw this.#wrong("an IP address, with or without a port, or a path");
    this.#at += 1;
    return (socket) => {
      const found = end(socket);
      if (typeof wanted === "string" || typeof found === "string") return found === wanted;
      const { address, port } = wanted;
      if (port !== undefined && port !== found.port) return false;
      return address === undefined || address === withoutMapping(found.address);
    };
  }

  #port(end: (socket: KernelSocket) => Endpoint | string): Selects {
    const compare = COMPARISONS.get(this.#tokens[this.#at] ?? "");
    if (compare !== undefined) this.#at += 1;
    const [, digits] = /^:?(\d{1,5})$/.exec(this.#tokens[this.#at] ?? "") ?? [];
    if (digits === undefined) throw this.#wrong("a number of a port");
    this.#at += 1;
    const test = compare ?? ((a: number, b: number) => a === b);
    return (socket) => {
      const found = end(socket);
      return typeof found !== "string" && test(found.port, Number(digits));
    };
  }

  #take(words: ReadonlySet<string>): boolean {
    const found = words.has(this.#tokens[this.#at] ?? "");
    if (found) this.#at += 1;
    return found;
  }

  #wrong(expected: string): WrongFilter {
    const got = this.#tokens[this.#at];
    const where = got === undefined ? "the filter ends" : `got "${got}"`;
    return new WrongFilter(`filter "${this.#tokens.join(" ")}": expected ${expected}, ${where}`);
  }
}

/** Undefined when it is neither "ADDRESS", "ADDRESS:PORT", "[ADDRESS]:PORT" nor "*:PORT". */
function addressAndPort(text: string) {
  const whole = parseAddress(text.replace(/^\[(.*)\]$/, "$1"));
  if (whole.ok) return { address: whole.value.address, port: undefined };
  const [, address = "", port] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined) return undefined;
  if (address === "*" || address === "") return { address: undefined, port: Number(port) };
  const read = parseAddress(address.replace(/^\[(.*)\]$/, "$1"));
  return read.ok ? { address: read.value.address, port: Number(port) } : undefined;
}

/** An IPv4 address as parseAddress reads it. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}
