/**
 * The files of `transport = tls`: their names below the directory of the option `tls directory`, what marks a certificate as
 * one of a node, and the list of those that are revoked. `ctdb-appliance ca` makes them.
 */
import { err, ok, type Result } from "../../base/result.ts";

export const TLS_FILES = {
  certificate: "node.crt",
  key: "node.key",
  authorities: "ca.crt",
  revoked: "revoked",
} as const;

/**
 * Among the alternative names of a node's certificate, beside its addresses: a web server's certificate from the same
 * authority is none. The usual purposes, server and client, are asked for too.
 */
export const NODE_URI = "urn:uuid:b2910557-673e-4c42-9e3c-b29f803aa592";

/**
 * Serial numbers: a line begins with one in hexadecimal, what follows is for people, and `#` begins a remark.
 */
export function parseRevoked(text: string, linesMax: number): Result<ReadonlySet<string>> {
  const lines = text.split("\n");
  if (lines.length > linesMax) return err(`expected at most ${linesMax} lines`);
  const serials = new Set<string>();
  for (const [index, line] of lines.entries()) {
    const [first = ""] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (first === "") continue;
    const serial = serialOf(first);
    if (serial === undefined) {
      return err(`line ${index + 1}: expected a serial number in hexadecimal, got "${first}"`);
    }
    serials.add(serial);
  }
  return ok(serials);
}

/** As serial numbers are compared: capital letters, no colons, no zeros in front. */
export function serialOf(text: string): string | undefined {
  const plain = text.replaceAll(":", "").toUpperCase();
  return /^[0-9A-F]{1,40}$/.test(plain) ? plain.replace(/^0+(?=.)/, "") : undefined;
}
