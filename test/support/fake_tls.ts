/**
 * TLS without cryptography for tests on virtual time: each end says what its certificate says, behind a first byte as that of
 * TLS, and believes it if the authority is one that it knows. What follows is as it is.
 */
import { err, ok, type Result } from "../../src/base/result.ts";
import type { Stream, StreamHandlers } from "../../src/platform/types/network.ts";
import type {
  CertificateFacts,
  Handshake,
  HandshakeFailureCause,
  Secured,
  SecuredStream,
  TlsCredentials,
  TlsEngine,
  TlsIdentity,
} from "../../src/platform/types/tls.ts";
import { NODE_URI } from "../../src/transport/tls/files.ts";

const HANDSHAKE = 0x16;
const END = 0x0a;

export interface FakeCertificate extends CertificateFacts {
  readonly authority: string;
}

export function fakeCertificate(
  address: string,
  changes: Partial<FakeCertificate> = {},
): FakeCertificate {
  return {
    serial: "1",
    subject: `CN=${address}`,
    addresses: [address],
    uris: [NODE_URI],
    notBeforeMs: 0,
    notAfterMs: 2e12,
    isAuthority: false,
    authority: "A",
    ...changes,
  };
}

/** The texts of a node's files: certificate, key, authorities, revoked. */
export function fakeTexts(
  certificate: FakeCertificate,
  { authorities = ["A"], revoked = "" } = {},
): readonly string[] {
  return [JSON.stringify(certificate), "key", authorities.join(" "), revoked];
}

export const fakeTls: TlsEngine = { identity, certificates: () => err("not in tests") };

function identity({ certificate, authorities }: TlsCredentials): Result<TlsIdentity> {
  if (certificate === "") return err("expected a certificate");
  const own = JSON.parse(certificate) as FakeCertificate;
  const known = authorities.split(" ");
  const begin = (_side: string, below: Stream, secured: Secured): Handshake =>
    new FakeSession(below, own, known, secured);
  return ok({ own, authorities: [{ ...own, isAuthority: true }], begin });
}

class FakeSession implements SecuredStream, Handshake {
  readonly peer = undefined;
  readonly remoteAddress: string | undefined;
  peerCertificate: FakeCertificate = fakeCertificate("");
  readonly #stream: Stream;
  readonly #known: readonly string[];
  readonly #secured: Secured;
  #handlers: StreamHandlers | undefined;
  #heard: number[] = [];
  #state: "handshake" | "open" | "closed" = "handshake";

  constructor(below: Stream, own: FakeCertificate, known: readonly string[], secured: Secured) {
    this.#stream = below;
    this.#known = known;
    this.#secured = secured;
    this.remoteAddress = below.remoteAddress;
    below.write(Uint8Array.of(HANDSHAKE, ...Buffer.from(JSON.stringify(own)), END));
  }

  readonly below: StreamHandlers = {
    onData: (chunk) => {
      if (this.#state === "open") this.#handlers?.onData(chunk);
      else if (this.#state === "handshake") this.#hear(chunk);
    },
    onDrain: () => this.#handlers?.onDrain(),
    onClose: (reason) => {
      if (this.#state === "handshake") this.#fail("ended by the other");
      else this.#handlers?.onClose(reason);
    },
  };

  write(bytes: Uint8Array): number {
    return this.#stream.write(bytes);
  }
  pause(): void {
    this.#stream.pause();
  }
  resume(): void {
    this.#stream.resume();
  }
  abort(): void {
    this.close();
  }
  close(): void {
    this.#state = "closed";
    this.#handlers = undefined;
    this.#stream.close();
  }

  #hear(chunk: Uint8Array): void {
    const end = chunk.indexOf(END);
    this.#heard.push(...chunk.subarray(0, end < 0 ? undefined : end));
    const isTls = this.#heard[0] === HANDSHAKE;
    if (!isTls) this.#fail("plain");
    if (!isTls || end < 0) return;
    const text = Buffer.from(this.#heard.slice(1)).toString();
    this.peerCertificate = JSON.parse(text) as FakeCertificate;
    if (!this.#known.includes(this.peerCertificate.authority)) {
      this.#fail("other authority");
      return;
    }
    this.#state = "open";
    this.#handlers = this.#secured(ok(this));
    const rest = chunk.subarray(end + 1);
    if (rest.length > 0) this.#handlers?.onData(rest);
  }

  #fail(cause: HandshakeFailureCause): void {
    this.close();
    this.#secured(err({ cause, text: cause }));
  }
}
