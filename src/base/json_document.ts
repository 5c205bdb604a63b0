/**
 * Documents that programs read: the answer to --json, and why there is none. Names are snake_case; each begins with
 * the version of its schema (docs/operations.md, "Output for programs").
 */

/** Goes up when a field changes its meaning or is taken away; a new one may come at any time. */
export const SCHEMA_VERSION = 1;

export function documentText(facts: object): string {
  return `${JSON.stringify({ schema_version: SCHEMA_VERSION, ...facts }, null, 2)}\n`;
}

/** The same in one line. */
export function documentLine(facts: object): string {
  return `${JSON.stringify({ schema_version: SCHEMA_VERSION, ...facts })}\n`;
}

export interface DocumentedError {
  /** null: none that is known. */
  readonly command: string | null;
  readonly kind: string;
  /** As the shell sees it. */
  readonly status: number;
  readonly messages: readonly string[];
}

/** What standard error gets: why there is no answer, or, of a success, what is to be known of it. */
export function complaintDocument(error: DocumentedError): string {
  return documentText(error.status === 0 ? { warnings: error.messages } : { error });
}
