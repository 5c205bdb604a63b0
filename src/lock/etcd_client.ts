/**
 * Calls to etcd's JSON gateway (POST /v3/…): over several hosts in turn, with a token where the cluster wants one.
 *
 * 1. A call is answered, refused by etcd, or failed on every host; each host has its time.
 * 2. 64-bit numbers are texts, as the gateway writes them.
 */
import { bytesText, textBytes } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";

/** Whether the time was over, and what was wrong. */
export interface PostFailure {
  readonly timedOut: boolean;
  readonly reason: string;
}

export interface PostAnswer {
  readonly status: number;
  readonly body: string;
}

export type Post = (
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
) => Promise<Result<PostAnswer, PostFailure>>;

export interface EtcdCredentials {
  readonly name: string;
  readonly password: string;
}

export type EtcdAnswer = Readonly<Record<string, unknown>>;

const HTTP_OK = 200;
/** gRPC's code for a token that is missing or no longer valid. */
const UNAUTHENTICATED = 16;
/** What etcd says of a token that is older than the last change to its users and roles; it has no code of its own. */
const OLD_REVISION = "revision of auth store is old";

export class EtcdClient {
  readonly #post: Post;
  readonly #credentials: EtcdCredentials | undefined;
  /** The one that answered last stands first. */
  #addresses: readonly string[];
  #token: string | undefined;

  /** `addresses`: "http://host:port". */
  constructor(post: Post, addresses: readonly string[], credentials?: EtcdCredentials) {
    this.#post = post;
    this.#addresses = addresses;
    this.#credentials = credentials;
  }

  async call(path: string, request: unknown): Promise<Result<EtcdAnswer, PostFailure>> {
    const hadToken = this.#token !== undefined;
    if (!hadToken && this.#credentials !== undefined) {
      const authenticated = await this.#authenticate(this.#credentials);
      if (!authenticated.ok) return authenticated;
    }
    const answer = await this.#ask(path, request);
    if (answer.ok || !hadToken || !wantsLogin(answer.error)) return answer;
    // Tokens end after some minutes, and with every change to users and roles.
    this.#token = undefined;
    return await this.call(path, request);
  }

  async #authenticate(credentials: EtcdCredentials): Promise<Result<void, PostFailure>> {
    const answer = await this.#ask("auth/authenticate", credentials);
    if (!answer.ok) return answer;
    const { token } = answer.value;
    if (typeof token !== "string") return failed("auth/authenticate: expected a token, got none");
    this.#token = token;
    return ok(undefined);
  }

  async #ask(
    path: string,
    request: unknown,
  ): Promise<Result<EtcdAnswer, PostFailure & { readonly code?: number }>> {
    const headers = {
      "Content-Type": "application/json",
      ...(this.#token === undefined ? {} : { Authorization: this.#token }),
    };
    const failures: string[] = [];
    let timedOut = false;
    for (const address of this.#addresses) {
      const url = `${address}/v3/${path}`;
      const posted = await this.#post(url, JSON.stringify(request), headers);
      if (posted.ok) {
        this.#addresses = [address, ...this.#addresses.filter((other) => other !== address)];
        return understand(url, posted.value);
      }
      timedOut ||= posted.error.timedOut;
      failures.push(`${url}: ${posted.error.reason}`);
    }
    return err({ timedOut, reason: failures.join("; ") });
  }
}

function wantsLogin({ code, reason }: PostFailure & { readonly code?: number }): boolean {
  return code === UNAUTHENTICATED || reason.includes(OLD_REVISION);
}

function understand(
  url: string,
  { status, body }: PostAnswer,
): Result<EtcdAnswer, PostFailure & { readonly code?: number }> {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return failed(`${url}: expected JSON, got status ${status} and "${body.slice(0, 200)}"`);
  }
  if (typeof answer !== "object" || answer === null) {
    return failed(`${url}: expected an object, got "${body.slice(0, 200)}"`);
  }
  const fields = answer as EtcdAnswer;
  if (status === HTTP_OK) return ok(fields);
  const { error, code } = fields;
  const reason = `${url}: ${typeof error === "string" ? error : `status ${status}`}`;
  return err({ timedOut: false, reason, ...(typeof code === "number" ? { code } : {}) });
}

function failed(reason: string): { readonly ok: false; readonly error: PostFailure } {
  return err({ timedOut: false, reason });
}

/** Keys and values are bytes in JSON. */
export function base64(text: string): string {
  return btoa(String.fromCharCode(...textBytes(text)));
}

export function fromBase64(text: string): string {
  return bytesText(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
}
