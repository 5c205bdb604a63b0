/**
 * Expected outcomes are values, not throws: `Result` carries either the value or the reason.
 * The reason is text unless the caller must tell kinds apart, in which case `E` is a union.
 */
export type Result<T, E = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** The one success that has nothing to say. */
export const done: Result<void, never> = { ok: true, value: undefined };
