/**
 * The page as files of its server: what `GET` answers at which path, and under which policy.
 *
 * Invariants:
 * 1. Everything that the page loads is in this list: it names no other origin, and works without one.
 * 2. No script and no style stands in the document, so that the policy needs no exception.
 * 3. The texts depend on the sources alone: a browser may keep them as long as the server says that they are the same.
 */
import { pageParts } from "#page_parts";
import type { PageFile } from "../parts.ts";

/** Own scripts, styles, images and requests; no way to make markup of text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

export function pageFiles(): readonly PageFile[] {
  return pageParts().map(([path, contentType, text]) => {
    const file = { path, contentType, text };
    return path === "/" ? { ...file, contentSecurityPolicy: POLICY } : file;
  });
}
