/** Values of a document of which a part may be missing or of another type: each has something that stands for it. */

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

export function list<T>(value: unknown, read: (entry: Fields) => T | undefined): readonly T[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry) => read(fields(entry))).filter((entry) => entry !== undefined);
}

export function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function numbers(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.filter((entry) => number(entry) !== null) : [];
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
