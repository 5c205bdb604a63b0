/**
 * Mutual TLS over any byte stream, as an interface (rules for all of them: docs/platform.md, "Interfaces"). Both ends show a
 * certificate that one of the authorities has signed; TLS 1.3 only, and no session is ever resumed.
 */
import type { Result } from "../../base/result.ts";
import type { Stream, StreamHandlers } from "./network.ts";

/** Texts in PEM. */
export interface TlsCredentials {
  /** Our own, and those between it and the authority, if any. */
  readonly certificate: string;
  readonly key: string;
  /** One authority or more. */
  readonly authorities: string;
}

/** What a certificate says. */
export interface CertificateFacts {
  /** Hexadecimal, in capital letters, without zeros in front. */
  readonly serial: string;
  readonly subject: string;
  /** IP addresses of its subjectAltName. */
  readonly addresses: readonly string[];
  /** URIs of its subjectAltName. */
  readonly uris: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isAuthority: boolean;
}

export type HandshakeFailureCause =
  /** The other end speaks no TLS. */
  | "plain"
  | "no certificate"
  | "other authority"
  | "expired"
  | "not yet valid"
  /** Its certificate is not for this end of a connection. */
  | "wrong purpose"
  /** The other end closed the connection, or says that it does not take us. */
  | "ended by the other"
  /** What came is no handshake that we know. */
  | "protocol";

export interface HandshakeFailure {
  readonly cause: HandshakeFailureCause;
  readonly text: string;
}

/** A stream whose other end has proved that the certificate is its own. */
export interface SecuredStream extends Stream {
  readonly peerCertificate: CertificateFacts;
}

/**
 * Told once how a handshake ended, never inside `begin`. What it returns serves the secured stream; after a
 * failure the stream below is closed.
 */
export type Secured = (
  outcome: Result<SecuredStream, HandshakeFailure>,
) => StreamHandlers | undefined;

export interface Handshake {
  /** They serve the stream below, from now on and for good. */
  readonly below: StreamHandlers;
  /** Closes the stream below, without a word to `secured`. */
  abort(): void;
}

export interface TlsIdentity {
  readonly own: CertificateFacts;
  readonly authorities: readonly CertificateFacts[];
  /** Begins a handshake over a stream that is just connected. */
  begin(side: "client" | "server", below: Stream, secured: Secured): Handshake;
}

export interface TlsEngine {
  /** The reason quotes nothing of a key. */
  identity(credentials: TlsCredentials): Result<TlsIdentity>;
  certificates(pem: string): Result<readonly CertificateFacts[]>;
}

/** Reads small texts without blocking the caller: all of them, in this order, or the first failure. */
export type ReadTexts = (
  paths: readonly string[],
  read: (texts: Result<readonly string[]>) => void,
) => void;
