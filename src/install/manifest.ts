/** What an installation has put where, and what was there before: for the next one, and for uninstall. */
import * as v from "valibot";
import { err, ok, type Result } from "../base/result.ts";

const entry = v.object({
  path: v.string(),
  /** sha256 of a file; of a role "executable"; of a symbolic link "-> TARGET". */
  content: v.string(),
  /** Where the file that was replaced is kept. */
  saved: v.optional(v.string()),
});

const manifest = v.object({
  version: v.literal(1),
  release: v.string(),
  /** Those that were made, the outer ones first. */
  directories: v.array(v.string()),
  entries: v.array(entry),
});

export type ManifestEntry = v.InferOutput<typeof entry>;
export type Manifest = v.InferOutput<typeof manifest>;

export const EXECUTABLE_CONTENT = "executable";

export function linkContent(target: string): string {
  return `-> ${target}`;
}

export function parseManifest(path: string, text: string): Result<Manifest> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(`Cannot read "${path}": expected JSON`);
  }
  const parsed = v.safeParse(manifest, value);
  if (parsed.success) return ok(parsed.output);
  const issue = parsed.issues[0];
  return err(`Cannot read "${path}": ${v.getDotPath(issue) ?? "manifest"}: ${issue.message}`);
}

export function manifestText(value: Manifest): string {
  return `${JSON.stringify(value, undefined, 1)}\n`;
}
