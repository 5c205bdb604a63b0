/** What the runtime's TLS says of a handshake that failed, by its meaning. */
import type { HandshakeFailure, HandshakeFailureCause } from "../types/tls.ts";

/** Names of X.509's verification and of the TLS library. */
const CAUSES: readonly (readonly [RegExp, HandshakeFailureCause])[] = [
  [/^ERR_SSL_\w*ALERT/, "ended by the other"],
  [/CERT_HAS_EXPIRED/, "expired"],
  [/CERT_NOT_YET_VALID/, "not yet valid"],
  [/INVALID_PURPOSE/, "wrong purpose"],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE|no certificate/, "no certificate"],
  [
    /UNABLE_TO_|SELF_SIGNED|INVALID_CA|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|CERT_REJECTED|PATH_LENGTH/,
    "other authority",
  ],
  [/WRONG_VERSION_NUMBER|HTTP_REQUEST/, "plain"],
];

export function handshakeFailure(error: unknown): HandshakeFailure {
  if (error === undefined) return { cause: "ended by the other", text: "it closed the connection" };
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const name = String(code ?? "");
  const cause = CAUSES.find(([pattern]) => pattern.test(name))?.[1] ?? "protocol";
  return { cause, text: typeof message === "string" ? message : name };
}
