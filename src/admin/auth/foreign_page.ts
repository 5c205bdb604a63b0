/**
 * Requests that a browser makes for the page of another site, which would have the rights of the one who looks at it.
 *
 * Invariants:
 * 1. Where a browser says which page asks (`origin`), only our own page is heard.
 * 2. At the unix socket, where everybody who comes through is root, a name with dots is none of ours: a browser that reaches
 *    it through a forwarded port may have been led there by somebody else's name (DNS rebinding).
 */
import { type Problem, problem } from "../api/problem.ts";
import type { Origin } from "../parts.ts";

/** undefined: nothing speaks for another site. */
export function foreignPage(headers: Headers, { kind }: Origin): Problem | undefined {
  const host = headers.get("host")?.toLowerCase();
  const page = headers.get("origin")?.toLowerCase();
  if (page !== undefined && page.replace(/^https?:\/\//, "") !== host) {
    return problem(403, "expected a request of this page, not of another site's");
  }
  if (kind === "unix" && host !== undefined && !isOurName(host)) {
    return problem(421, 'expected "localhost" or an address as the host');
  }
  return undefined;
}

/** An address, or a name without dots: nobody can own that. */
function isOurName(host: string): boolean {
  const name = host.replace(/:\d+$/, "");
  return /^(\[[0-9a-f:.]+\]|\d+(\.\d+){3}|[^.]+)$/.test(name);
}
