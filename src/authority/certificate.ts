/**
 * Certificates of X.509 version 3 (RFC 5280) for an authority and for nodes: ECDSA on P-256 with SHA-256. An authority signs
 * nodes and no further authorities.
 */
import { textBytes } from "../base/byte_text.ts";
import type { Keys, SigningKey } from "../platform/types/keys.ts";
import { NODE_URI } from "../transport/tls/files.ts";
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.ts";

const OID = {
  COMMON_NAME: "2.5.4.3",
  ECDSA_WITH_SHA256: "1.2.840.10045.4.3.2",
  SUBJECT_KEY: "2.5.29.14",
  KEY_USAGE: "2.5.29.15",
  ALTERNATIVE_NAMES: "2.5.29.17",
  BASIC_CONSTRAINTS: "2.5.29.19",
  AUTHORITY_KEY: "2.5.29.35",
  EXTENDED_KEY_USAGE: "2.5.29.37",
  SERVER: "1.3.6.1.5.5.7.3.1",
  CLIENT: "1.3.6.1.5.5.7.3.2",
} as const;

/** Bits of a key's usage, from the left. */
const DIGITAL_SIGNATURE = Uint8Array.of(0x80);
const SIGNS_CERTIFICATES = Uint8Array.of(0x06);
/** Alternative names: [6] a URI, [7] an address. */
const NAME_URI = 6;
const NAME_ADDRESS = 7;
/** Shorter than a digest (RFC 7093, 2). */
const KEY_ID_BYTES = 20;
export const SERIAL_BYTES = 16;

export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Issuer {
  readonly name: string;
  readonly key: SigningKey;
}

export interface CertificateRequest extends Validity {
  readonly serial: Uint8Array;
  readonly name: string;
  readonly key: Pick<SigningKey, "publicKeyInfo">;
}

/** In PEM, signed by its own key. */
export function authorityCertificate(
  request: CertificateRequest & { readonly key: SigningKey },
  keys: Keys,
): string {
  const { name, key } = request;
  return signed(request, { name, key }, [
    extension(OID.BASIC_CONSTRAINTS, sequence(boolean(true), integer(Uint8Array.of(0))), true),
    extension(OID.KEY_USAGE, bitString(SIGNS_CERTIFICATES, 1), true),
    extension(OID.SUBJECT_KEY, octetString(keyId(key, keys))),
  ]);
}

/** In PEM. Addresses are of four or sixteen bytes. */
export function nodeCertificate(
  request: CertificateRequest & { readonly addresses: readonly Uint8Array[] },
  issuer: Issuer,
  keys: Keys,
): string {
  const names = [
    ...request.addresses.map((address) => implicit(NAME_ADDRESS, address)),
    implicit(NAME_URI, textBytes(NODE_URI)),
  ];
  return signed(request, issuer, [
    extension(OID.BASIC_CONSTRAINTS, sequence(), true),
    extension(OID.KEY_USAGE, bitString(DIGITAL_SIGNATURE, 7), true),
    extension(
      OID.EXTENDED_KEY_USAGE,
      sequence(objectIdentifier(OID.SERVER), objectIdentifier(OID.CLIENT)),
    ),
    extension(OID.ALTERNATIVE_NAMES, sequence(...names)),
    extension(OID.SUBJECT_KEY, octetString(keyId(request.key, keys))),
    extension(OID.AUTHORITY_KEY, sequence(implicit(0, keyId(issuer.key, keys)))),
  ]);
}

function signed(
  { serial, name, key, fromMs, untilMs }: CertificateRequest,
  issuer: Issuer,
  extensions: readonly Uint8Array[],
): string {
  const algorithm = sequence(objectIdentifier(OID.ECDSA_WITH_SHA256));
  const version3 = explicit(0, integer(Uint8Array.of(2)));
  const body = sequence(
    version3,
    integer(serial),
    algorithm,
    commonName(issuer.name),
    sequence(time(fromMs), time(untilMs)),
    commonName(name),
    key.publicKeyInfo,
    explicit(3, sequence(...extensions)),
  );
  return pem("CERTIFICATE", sequence(body, algorithm, bitString(issuer.key.sign(body))));
}

function commonName(name: string): Uint8Array {
  return sequence(setOf(sequence(objectIdentifier(OID.COMMON_NAME), utf8String(name))));
}

function extension(oid: string, value: Uint8Array, isCritical = false): Uint8Array {
  const critical = isCritical ? [boolean(true)] : [];
  return sequence(objectIdentifier(oid), ...critical, octetString(value));
}

function keyId({ publicKeyInfo }: Pick<SigningKey, "publicKeyInfo">, keys: Keys): Uint8Array {
  return keys.digest(publicKeyInfo).subarray(0, KEY_ID_BYTES);
}

function pem(what: string, bytes: Uint8Array): string {
  const text = bytes.toBase64().replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${what}-----\n${text}\n-----END ${what}-----\n`;
}
