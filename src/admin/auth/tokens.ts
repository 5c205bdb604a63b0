/**
 * Tokens: a file with lines `TOKEN read` and `TOKEN act`.
 *
 * Invariants:
 * 1. What is compared are digests, all of them, in constant time: how long it takes tells nothing.
 * 2. A token that is in no line any more lets nobody in, sessions that it began included.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { textBytes } from "../../base/byte_text.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { TOKEN_CHARACTERS_MAX, TOKEN_CHARACTERS_MIN, TOKENS_MAX } from "../limits.ts";
import type { Token } from "../parts.ts";

/** The reason names the line, never the token. */
export function parseTokens(text: string): Result<readonly Token[]> {
  const tokens: Token[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    const words = line.trim().split(/\s+/);
    const [token = "", right] = words;
    if (token === "" || token.startsWith("#")) continue;
    const where = `line ${i + 1}`;
    if (words.length !== 2 || (right !== "read" && right !== "act")) {
      return err(`${where}: expected "TOKEN read" or "TOKEN act"`);
    }
    if (!/^[\x21-\x7e]+$/.test(token)) return err(`${where}: expected a token of ASCII characters`);
    if (token.length < TOKEN_CHARACTERS_MIN || token.length > TOKEN_CHARACTERS_MAX) {
      const range = `${TOKEN_CHARACTERS_MIN} to ${TOKEN_CHARACTERS_MAX}`;
      return err(`${where}: expected a token of ${range} characters, got ${token.length}`);
    }
    if (tokens.length === TOKENS_MAX) return err(`${where}: expected at most ${TOKENS_MAX} tokens`);
    tokens.push({ token, right });
  }
  return ok(tokens);
}

/** The token that was meant; undefined: none of them. */
export function findToken(tokens: readonly Token[], meant: string): Token | undefined {
  const digest = digestOf(meant);
  let found: Token | undefined;
  for (const each of tokens) {
    if (timingSafeEqual(digestOf(each.token), digest)) found = each;
  }
  return found;
}

/** A name of a token for logs and the journal that does not give it away. */
export function tokenName({ token }: Token): string {
  return `token ${digestOf(token).toString("hex").slice(0, 8)}`;
}

export function digestOf(text: string): Buffer {
  return createHash("sha256").update(textBytes(text)).digest();
}
