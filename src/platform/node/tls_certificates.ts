/** What certificates say (platform/types/tls.ts), read with the runtime's parser. */
import { X509Certificate } from "node:crypto";
import { err, ok, type Result } from "../../base/result.ts";
import type { CertificateFacts } from "../types/tls.ts";

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const ADDRESS_PREFIX = "IP Address:";
const URI_PREFIX = "URI:";

export function readCertificates(pem: string): Result<readonly CertificateFacts[]> {
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length === 0) return err("expected a certificate in PEM, found none");
  try {
    return ok(blocks.map((block) => certificateFacts(new X509Certificate(block))));
  } catch (error) {
    return err(`expected certificates in PEM: ${(error as Error).message}`);
  }
}

export function certificateFacts(certificate: X509Certificate): CertificateFacts {
  const names = namesOf(certificate.subjectAltName ?? "");
  const withPrefix = (prefix: string) =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return {
    serial: certificate.serialNumber.toUpperCase().replace(/^0+(?=.)/, ""),
    subject: certificate.subject.replaceAll("\n", ", "),
    addresses: withPrefix(ADDRESS_PREFIX).map(plainAddress),
    uris: withPrefix(URI_PREFIX),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    isAuthority: certificate.ca,
  };
}

/** A name with a comma in it is shown in quotes: nobody whom we know makes such names, and they could pretend to be two. */
function namesOf(text: string): readonly string[] {
  return text.includes('"') ? [] : text.split(", ");
}

/** IPv6 as the rest of us writes it: in small letters, the longest run of zeros left out. */
function plainAddress(text: string): string {
  if (!text.includes(":")) return text;
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
