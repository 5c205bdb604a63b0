/** TLS by the runtime's library (platform/types/tls.ts); node:tls is the same in both runtimes. */
import { constants } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { bytesText } from "../../base/byte_text.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Stream } from "../types/network.ts";
import type {
  Handshake,
  ReadTexts,
  Secured,
  TlsCredentials,
  TlsEngine,
  TlsIdentity,
} from "../types/tls.ts";
import { readCertificates } from "./tls_certificates.ts";
import { type SessionContext, TlsSession } from "./tls_session.ts";

export const runtimeTls: TlsEngine = { identity, certificates: readCertificates };

function identity({ certificate, key, authorities }: TlsCredentials): Result<TlsIdentity> {
  const own = readCertificates(certificate);
  if (!own.ok) return err(`certificate: ${own.error}`);
  const known = readCertificates(authorities);
  if (!known.ok) return err(`authorities: ${known.error}`);
  const context = secureContext(certificate, key, authorities);
  if (!context.ok) return context;
  const [first] = own.value;
  if (first === undefined) return err("certificate: expected one");
  return ok({
    own: first,
    authorities: known.value,
    begin: (side: "client" | "server", below: Stream, secured: Secured): Handshake =>
      new TlsSession(context.value, side, below, secured),
  });
}

function secureContext(cert: string, key: string, ca: string): Result<SessionContext> {
  try {
    const secure = createSecureContext({
      ...{ cert, key, ca },
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
      // A session that is resumed would be let in by what was true of its certificate some time ago.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    return ok({ secure });
  } catch (error) {
    const { message } = error as Error;
    const mismatch = /KEY_VALUES_MISMATCH|key values mismatch/i.test(message);
    return err(mismatch ? "the key is of another certificate" : `key or certificate: ${message}`);
  }
}

/** Of one file. */
const TEXT_BYTES_MAX = 1024 * 1024;

export const readTexts: ReadTexts = (paths, read) => {
  const texts = paths.map(async (path) => {
    const bytes = await readFile(path);
    if (bytes.length > TEXT_BYTES_MAX) throw new Error(`"${path}": expected a small file`);
    return bytesText(bytes);
  });
  Promise.all(texts).then(
    (all) => read(ok(all)),
    (error: unknown) => read(err((error as Error).message)),
  );
};
