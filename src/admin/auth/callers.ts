/**
 * Who asks, and what they may.
 *
 * Invariants:
 * 1. What a request says is believed only where a secret proves it; the rest comes from the one who serves (Origin).
 * 2. Nobody acts while actions are off, from another node, or by cookie without the CSRF token.
 * 3. An address that tries wrong tokens is refused for a while, right ones included: guessing does not pay.
 */
import { err, ok, type Result } from "../../base/result.ts";
import { type Problem, problem } from "../api/problem.ts";
import type { AdminParts, Origin, Token } from "../parts.ts";
import { cookieSecret, isCsrfToken, type Session, Sessions } from "./sessions.ts";
import { TokenBuckets } from "./token_bucket.ts";
import { findToken, tokenName } from "./tokens.ts";

export type Right = "none" | "read" | "act";

export interface Caller {
  readonly right: Right;
  /** For logs and the journal, and the bucket of its rate. */
  readonly name: string;
  /** Root: a limit would be one to itself. */
  readonly unlimited?: boolean;
  /** It came with a cookie. */
  readonly session?: { readonly session: Session; readonly secret: string };
}

export class Callers {
  readonly #parts: AdminParts;
  readonly sessions: Sessions;
  readonly #wrong: TokenBuckets;
  readonly #requests: TokenBuckets;
  readonly #actions: TokenBuckets;

  constructor(parts: AdminParts) {
    this.#parts = parts;
    this.sessions = new Sessions(parts);
    this.#wrong = new TokenBuckets(parts.rates.wrongTokens, parts.clock);
    this.#requests = new TokenBuckets(parts.rates.requests, parts.clock);
    this.#actions = new TokenBuckets(parts.rates.actions, parts.clock);
  }

  /** A request without any proof is nobody's, and no error: some routes are for all. */
  identify(origin: Origin, headers: Headers): Result<Caller, Problem> {
    switch (origin.kind) {
      case "unix":
        return ok({ right: this.#atMost("act"), name: "root at the socket", unlimited: true });
      case "node":
        return ok({ right: "read", name: `node ${origin.node}` });
      case "tcp":
        return this.#identifyStranger(origin, headers);
    }
  }

  #identifyStranger(
    { address, certified }: Origin & { readonly kind: "tcp" },
    headers: Headers,
  ): Result<Caller, Problem> {
    const waitSeconds = this.#wrong.wait(address);
    if (waitSeconds > 0) {
      return err(tooMany("wrong tokens came from this address before", waitSeconds));
    }
    const authorization = headers.get("authorization");
    if (authorization !== null) return this.#byToken(authorization, address);
    const secret = cookieSecret(headers.get("cookie"));
    const known = secret === undefined ? undefined : this.#bySecret(secret);
    if (known !== undefined) return ok(known);
    return certified
      ? ok({ right: "read", name: `certificate at ${address}` })
      : ok({ right: "none", name: address });
  }

  #byToken(authorization: string, address: string): Result<Caller, Problem> {
    const [scheme = "", meant = "", ...more] = authorization.split(" ");
    if (scheme.toLowerCase() !== "bearer" || meant === "" || more.length > 0) {
      return err(unknown('expected the header "authorization: Bearer TOKEN"'));
    }
    const token = this.exchange(meant, address);
    if (!token.ok) return token;
    return ok({ right: this.#atMost(token.value.right), name: tokenName(token.value) });
  }

  /** The token itself, for what it is exchanged for; a wrong one is counted. */
  exchange(meant: string, address: string): Result<Token, Problem> {
    const waitSeconds = this.#wrong.wait(address);
    if (waitSeconds > 0) return err(tooMany("wrong tokens came before", waitSeconds));
    const token = findToken(this.#parts.tokens(), meant);
    if (token !== undefined) return ok(token);
    this.#wrong.take(address);
    this.#parts.log.warning(`A wrong token came from ${address}`);
    return err(unknown("the token is none of those in the token file"));
  }

  #bySecret(secret: string): Caller | undefined {
    const found = this.sessions.find(secret, this.#parts.tokens());
    if (found === undefined) return undefined;
    const { session, token } = found;
    const right = this.#atMost(token.right);
    return { right, name: `${tokenName(token)} (page)`, session: { session, secret } };
  }

  #atMost(right: "read" | "act"): Right {
    return right === "act" && !this.#parts.actions ? "read" : right;
  }

  /** undefined: it may, by right and by rate. */
  refuse(caller: Caller, right: Right, headers: Headers): Problem | undefined {
    if (right !== "none" && caller.right === "none") {
      return unknown("expected a token, the cookie of a session, or a client certificate");
    }
    if (right === "act") {
      if (caller.right !== "act") {
        return this.#parts.actions
          ? problem(403, "this caller may only read")
          : problem(403, 'actions are off: see "actions" in ctdb-appliance.conf');
      }
      const { session } = caller;
      if (session !== undefined && !isCsrfToken(session.session, csrfHeader(headers))) {
        return problem(403, 'expected the header "x-csrf-token" with the value of the session');
      }
    }
    if (caller.unlimited === true && right !== "act") return undefined;
    const buckets = right === "act" ? this.#actions : this.#requests;
    const waitSeconds = buckets.take(caller.name);
    return waitSeconds === 0 ? undefined : tooMany("this caller asks too often", waitSeconds);
  }
}

function csrfHeader(headers: Headers): string | undefined {
  return headers.get("x-csrf-token") ?? undefined;
}

function unknown(detail: string): Problem {
  return problem(401, detail, { headers: { "www-authenticate": 'Bearer realm="ctdb"' } });
}

function tooMany(detail: string, seconds: number): Problem {
  return problem(429, detail, { headers: { "retry-after": String(seconds) } });
}
