/** Requests to the own server: documents, or what went wrong in the server's words (RFC 9457). */
import { fields, number, text } from "../model/lenient.ts";
import { ANSWER_TIMEOUT_MS } from "../model/limits.ts";

export type Answer =
  | { readonly ok: true; readonly document: unknown }
  /** `status` 0: nobody answered. */
  | { readonly ok: false; readonly status: number; readonly problem: string };

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export async function request(path: string, options: RequestOptions = {}): Promise<Answer> {
  const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const { method = "GET", body, headers = {}, signal } = options;
  try {
    const response = await fetch(path, {
      method,
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const document = await documentOf(response);
    if (response.ok) return { ok: true, document };
    return { ok: false, status: response.status, problem: problemText(document, response.status) };
  } catch (error) {
    const reason = error instanceof Error && error.name === "TimeoutError" ? "in time" : "";
    return { ok: false, status: 0, problem: `The node did not answer ${reason}`.trim() };
  }
}

async function documentOf(response: Response): Promise<unknown> {
  if (response.status === 204) return {};
  try {
    return await response.json();
  } catch {
    return {};
  }
}

function problemText(document: unknown, status: number): string {
  const problem = fields(document);
  const parts = [text(problem["title"]), text(problem["detail"])].filter((part) => part !== "");
  return parts.length === 0 ? `The node answered ${number(status)}` : parts.join(": ");
}
