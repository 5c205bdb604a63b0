/** Whether a certificate is that of the node at an address, now. Its signature and its chain were verified before. */
import type { CertificateFacts, HandshakeFailureCause } from "../../platform/types/tls.ts";
import { NODE_URI } from "./files.ts";

export type RefusalCause =
  | HandshakeFailureCause
  /** A certificate that is valid, of another node. */
  | "other address"
  | "revoked"
  | "timeout"
  /** More handshakes, or bytes of one, than there may be. */
  | "too much";

export const REFUSAL_CAUSES: readonly RefusalCause[] = [
  "plain",
  "no certificate",
  "other authority",
  "expired",
  "not yet valid",
  "wrong purpose",
  "other address",
  "revoked",
  "ended by the other",
  "protocol",
  "timeout",
  "too much",
];

export interface Refusal {
  readonly cause: RefusalCause;
  /** What was found and what was expected. */
  readonly text: string;
}

export interface PeerExpectations {
  readonly address: string;
  readonly nowMs: number;
  readonly isRevoked: (serial: string) => boolean;
}

export function refusalOf(
  { serial, subject, addresses, uris, notBeforeMs, notAfterMs }: CertificateFacts,
  { address, nowMs, isRevoked }: PeerExpectations,
): Refusal | undefined {
  const whose = `certificate ${serial} (${subject})`;
  if (!addresses.includes(address)) {
    const found = addresses.length === 0 ? "no address" : addresses.join(", ");
    return { cause: "other address", text: `${whose} is of ${found}, expected ${address}` };
  }
  if (!uris.includes(NODE_URI)) {
    return { cause: "wrong purpose", text: `${whose} is not one of a node` };
  }
  if (isRevoked(serial)) return { cause: "revoked", text: `${whose} is revoked` };
  if (nowMs > notAfterMs) {
    return { cause: "expired", text: `${whose} ended ${timeText(notAfterMs)}` };
  }
  if (nowMs < notBeforeMs) {
    return { cause: "not yet valid", text: `${whose} begins ${timeText(notBeforeMs)}` };
  }
  return undefined;
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
