/** Keys that sign, as interfaces (rules for all of them: docs/platform.md, "Interfaces"). ECDSA on P-256 with SHA-256. */
import type { Result } from "../../base/result.ts";

export interface SigningKey {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeyInfo: Uint8Array;
  /** Private, PKCS #8 in PEM. */
  readonly pem: string;
  /** ECDSA-Sig-Value in DER. */
  sign(bytes: Uint8Array): Uint8Array;
}

export interface Keys {
  make(): SigningKey;
  read(pem: string): Result<SigningKey>;
  /** SHA-256. */
  digest(bytes: Uint8Array): Uint8Array;
  /** So many bytes that nobody can guess. */
  random(count: number): Uint8Array;
}
