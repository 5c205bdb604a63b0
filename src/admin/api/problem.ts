/** Problem documents (RFC 9457): what every request that is refused gets. */

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** What is wrong with which part of the request. */
  readonly errors?: readonly { readonly path: string; readonly detail: string }[];
  readonly headers?: Readonly<Record<string, string>>;
}

export const PROBLEM_TYPE = "application/problem+json";

const TITLES: Readonly<Record<number, string>> = {
  400: "The request is not what is expected",
  401: "Who asks is not known",
  403: "Not allowed",
  404: "There is no such thing",
  405: "Not with this method",
  409: "The state does not allow it",
  413: "The request is too large",
  414: "The path is too long",
  415: "The body is of another type than expected",
  429: "Too many requests",
  431: "The headers are too large",
  500: "A mistake in ctdb-admind",
  502: "ctdbd has refused",
  503: "Not now",
  504: "Not in time",
};

export function problem(status: number, detail: string, more: Partial<Problem> = {}): Problem {
  return { status, title: TITLES[status] ?? "An error", detail, ...more };
}

/** The status without a document of its own type says all that a type would: `about:blank` (RFC 9457, 4.2.1). */
export function problemDocument({ status, title, detail, errors }: Problem): object {
  const more = errors === undefined ? {} : { errors };
  return { type: "about:blank", title, status, detail, ...more };
}
