/**
 * Requests made of the OpenAPI document: most of them nearly right, some far from it. Whatever they are, the answer is one
 * that the document has, and none is a 500.
 */
import type { SeededRandom } from "../fuzz/seeded_random.ts";
import { OpenApiChecker } from "./openapi_checker.ts";

type Schema = Readonly<Record<string, unknown>>;

interface Described {
  readonly parameters?: readonly { readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
}

export interface FuzzedRequest {
  readonly method: string;
  /** Of the document; undefined for one that is none of it. */
  readonly route: string | undefined;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const HOSTILE = [
  "",
  " ",
  "0",
  "-1",
  "1e309",
  "99999999999999999999",
  "NaN",
  "null",
  "true",
  "../../../etc/passwd",
  "%2e%2e%2f",
  "<script>alert(1)</script>",
  "'; DROP TABLE events; --",
  "\u0000",
  "\ud800",
  "🦀é",
  "__proto__",
  "constructor",
  "-n",
  "--json",
  "1970-01-01T00:00:00Z",
  "9999-99-99T99:99:99Z",
  "-999999999d",
  "a.tdb",
  "10.0.0.1",
  "x".repeat(300),
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ["accept", ["*/*", "application/openmetrics-text", "x".repeat(1000), ";;;,"]],
  ["authorization", ["Bearer x", "Bearer reader-token-0123456789", "Basic eDp5", "Bearer  ", "x"]],
  ["cookie", ["ctdb_session=", `ctdb_session=${"0".repeat(64)}`, "=;;=", "a".repeat(4000)]],
  ["content-type", ["text/plain", "application/json; charset=utf-16", "APPLICATION/JSON", ""]],
  ["last-event-id", ["-1", "1e9", "9".repeat(40), "0", "7"]],
  ["x-csrf-token", ["", "x", "0".repeat(64)]],
];

export class ApiFuzzer {
  readonly checker: OpenApiChecker;
  readonly #random: SeededRandom;
  readonly #operations: readonly (readonly [path: string, method: string, Described])[];

  constructor(openApiText: string, random: SeededRandom) {
    this.#random = random;
    this.checker = new OpenApiChecker(openApiText);
    this.#operations = Object.entries(this.checker.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, described]) => [path, method.toUpperCase(), described as Described] as const,
      ),
    );
  }

  next(): FuzzedRequest {
    const random = this.#random;
    const [path, method, described] = this.#pick(this.#operations);
    const strange = random.chance(0.05);
    const shown = strange ? this.#strangePath(path) : path;
    const used = random.chance(0.05) ? this.#pick(METHODS) : method;
    return {
      method: used,
      route: strange || used !== method ? undefined : path,
      path: `${shown}${this.#query(described)}`,
      headers: this.#headers(described),
      body: used === "GET" || used === "HEAD" ? undefined : this.#body(described),
    };
  }

  /** What is wrong with the answer; nothing when it is as it should be. */
  problems(request: FuzzedRequest, status: number, type: string, text: string): readonly string[] {
    if (status >= 500 && ![502, 503, 504].includes(status)) return [`status ${status}: ${text}`];
    if (request.route === undefined || type === "text/event-stream") return [];
    return this.checker.problems(request.method, request.route, status, type, text);
  }

  #strangePath(path: string): string {
    const random = this.#random;
    const at = random.between(1, path.length);
    return random.chance(0.5)
      ? `${path.slice(0, at)}${encodeURIComponent(this.#text().toWellFormed())}${path.slice(at)}`
      : `${path}/..//${path.slice(at)}%`;
  }

  #query({ parameters = [] }: Described): string {
    const random = this.#random;
    const parts: string[] = [];
    for (const { name, schema } of parameters) {
      if (random.chance(0.4)) continue;
      const times = random.chance(0.1) ? random.between(2, 20) : 1;
      for (let i = 0; i < times; i++) parts.push(`${name}=${this.#encoded(this.#value(schema))}`);
    }
    if (random.chance(0.03)) parts.push(`${this.#encoded(this.#text())}=1`);
    return parts.length === 0 ? "" : `?${parts.join("&")}`;
  }

  #encoded(value: unknown): string {
    const text = String(value).toWellFormed();
    return this.#random.chance(0.02) ? text.replaceAll(/[#?&=\s]/g, "%") : encodeURIComponent(text);
  }

  #headers({ requestBody }: Described): Readonly<Record<string, string>> {
    const headers: Record<string, string> =
      requestBody === undefined ? {} : { "content-type": "application/json" };
    for (const [name, values] of HEADERS) {
      if (this.#random.chance(0.08)) headers[name] = this.#pick(values);
    }
    return headers;
  }

  #body({ requestBody }: Described): string | undefined {
    const schema = requestBody?.content["application/json"]?.schema;
    if (schema === undefined) return this.#random.chance(0.1) ? "{}" : undefined;
    const text = JSON.stringify(this.#value(schema));
    if (this.#random.chance(0.1)) return text.slice(0, this.#random.below(text.length + 1));
    if (this.#random.chance(0.01)) return " ".repeat(20_000);
    return text;
  }

  /** Mostly what the schema wants. */
  #value(schema: Schema): unknown {
    const random = this.#random;
    if (random.chance(0.1)) return this.#text();
    const { type, properties, items, pattern, minimum, maximum } = schema;
    const choices = schema["enum"] as readonly unknown[] | undefined;
    if (choices !== undefined) return this.#pick(choices);
    if (type === "object") {
      const entries = Object.entries((properties ?? {}) as Readonly<Record<string, Schema>>);
      const kept = entries.filter(() => !random.chance(0.1));
      return Object.fromEntries(kept.map(([name, each]) => [name, this.#value(each)]));
    }
    if (type === "array") return this.#value((items ?? {}) as Schema);
    if (type === "integer" || type === "number") {
      const low = typeof minimum === "number" ? minimum : -5;
      const high = typeof maximum === "number" ? Math.min(maximum, 0xffffffff) : 5;
      return random.chance(0.9) ? random.between(low, high) : this.#pick([low - 1, high + 1, 0.5]);
    }
    return typeof pattern === "string" ? this.#matching(pattern) : this.#text();
  }

  /** For the patterns that the API has. */
  #matching(pattern: string): string {
    const random = this.#random;
    if (pattern.includes("d{4}-")) {
      return this.#pick(["-10min", "-5d", "1795000002.5", "2026-11-29T03:00:00.5+01:00", "0"]);
    }
    if (pattern.includes("\\d")) return String(random.below(random.chance(0.5) ? 4 : 2000));
    if (pattern.includes("a-z_")) return this.#pick(["flags", "link_up,gap", "leader", "nothing"]);
    if (pattern.includes("A-Fa-f")) return this.#pick(["10.1.0.1", "2001:db8::1", "::"]);
    return this.#pick(["MonitorInterval", "RecoverTimeout"]);
  }

  #text(): string {
    return this.#pick(HOSTILE);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)] as T;
  }
}
