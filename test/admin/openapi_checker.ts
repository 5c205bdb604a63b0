/** Holds answers against the OpenAPI document that the API gives of itself. */
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020.js";

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

export class OpenApiChecker {
  readonly document: {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(text: string) {
    this.document = JSON.parse(text) as OpenApiChecker["document"];
    this.#ajv.addSchema({ $id: "document:", ...this.document });
  }

  /** What is wrong with an answer to that method and path; nothing when it is as the document says. */
  problems(
    method: string,
    path: string,
    status: number,
    contentType: string,
    text: string,
  ): readonly string[] {
    const operation = this.document.paths[path]?.[method.toLowerCase()];
    if (operation === undefined) return [`no ${method} ${path}`];
    const answer = operation.responses[String(status)];
    if (answer === undefined) return [`${method} ${path} has no status ${status}: ${text}`];
    if (answer.content === undefined) return text === "" ? [] : ["expected no content"];
    if (answer.content[contentType] === undefined) {
      return [`${method} ${path} has no ${contentType} with status ${status}`];
    }
    if (!/json$/.test(contentType)) return [];
    const key = [method, path, status, contentType].join(" ");
    const validator =
      this.#validators.get(key) ??
      this.#ajv.compile({ $ref: `document:#${pointer(method, path, status, contentType)}` });
    this.#validators.set(key, validator);
    if (validator(JSON.parse(text))) return [];
    const [first] = validator.errors ?? [];
    return [`${key}: ${first?.instancePath} ${first?.message}: ${text.slice(0, 2000)}`];
  }
}

function pointer(method: string, path: string, status: number, contentType: string): string {
  const parts = ["paths", path, method.toLowerCase(), "responses", status, "content", contentType];
  return [...parts, "schema"]
    .map((part) => encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1")))
    .map((part) => `/${part}`)
    .join("");
}
