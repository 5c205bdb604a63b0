/**
 * Sessions of the page: a token that was exchanged for a cookie.
 *
 * Invariants:
 * 1. At most SESSIONS_MAX, each for SESSION_MS_MAX at most; the one that was quiet for longest goes first.
 * 2. A session ends with its token.
 * 3. What the cookie says is known here by its digest only.
 */
import { timingSafeEqual } from "node:crypto";
import { bytesHex } from "../../base/bytes_hex.ts";
import type { Clock } from "../../platform/types/time.ts";
import { SESSION_IDLE_MS_MAX, SESSION_MS_MAX, SESSIONS_MAX } from "../limits.ts";
import type { SecretSource, Token } from "../parts.ts";
import { digestOf, findToken } from "./tokens.ts";

const COOKIE = "ctdb_session";

export interface Session {
  readonly token: string;
  readonly csrfToken: string;
  readonly endsMs: number;
  usedMs: number;
}

const SECRET_BYTES = 32;

export class Sessions {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #secrets: SecretSource;
  readonly #byDigest = new Map<string, Session>();

  constructor(parts: {
    readonly clock: Pick<Clock, "monotonicMs">;
    readonly secrets: SecretSource;
  }) {
    this.#clock = parts.clock;
    this.#secrets = parts.secrets;
  }

  get size(): number {
    return this.#byDigest.size;
  }

  begin(token: string): { readonly secret: string; readonly session: Session } {
    const nowMs = this.#clock.monotonicMs();
    this.#forgetOver(nowMs);
    const [quietest] = [...this.#byDigest].sort(([, a], [, b]) => a.usedMs - b.usedMs);
    if (this.#byDigest.size >= SESSIONS_MAX && quietest !== undefined) {
      this.#byDigest.delete(quietest[0]);
    }
    const secret = bytesHex(this.#secrets.bytes(SECRET_BYTES));
    const csrfToken = bytesHex(this.#secrets.bytes(SECRET_BYTES));
    const session = { token, csrfToken, endsMs: nowMs + SESSION_MS_MAX, usedMs: nowMs };
    this.#byDigest.set(keyOf(secret), session);
    return { secret, session };
  }

  /** With the token that it began with, as that is now. */
  find(
    secret: string,
    tokens: readonly Token[],
  ): { readonly session: Session; readonly token: Token } | undefined {
    const nowMs = this.#clock.monotonicMs();
    const session = this.#byDigest.get(keyOf(secret));
    const token = session === undefined ? undefined : findToken(tokens, session.token);
    if (session === undefined || token === undefined || isOver(session, nowMs)) {
      this.#byDigest.delete(keyOf(secret));
      return undefined;
    }
    session.usedMs = nowMs;
    return { session, token };
  }

  end(secret: string): void {
    this.#byDigest.delete(keyOf(secret));
  }

  #forgetOver(nowMs: number): void {
    for (const [key, session] of this.#byDigest) {
      if (isOver(session, nowMs)) this.#byDigest.delete(key);
    }
  }
}

export function isCsrfToken(session: Session, text: string | undefined): boolean {
  return text !== undefined && timingSafeEqual(digestOf(text), digestOf(session.csrfToken));
}

function isOver({ endsMs, usedMs }: Session, nowMs: number): boolean {
  return nowMs >= endsMs || nowMs - usedMs >= SESSION_IDLE_MS_MAX;
}

function keyOf(secret: string): string {
  return digestOf(secret).toString("hex");
}

/** The secret in the header `cookie`; undefined: none. */
export function cookieSecret(header: string | null): string | undefined {
  for (const part of (header ?? "").split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === COOKIE && value !== undefined && /^[0-9a-f]{64}$/.test(value)) return value;
  }
  return undefined;
}

/** `secret` undefined: the browser forgets it. */
export function setCookie(secret: string | undefined, secure: boolean): string {
  const seconds = secret === undefined ? 0 : SESSION_MS_MAX / 1000;
  const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
  return `${COOKIE}=${secret ?? ""}; ${attributes}${secure ? "; Secure" : ""}`;
}
