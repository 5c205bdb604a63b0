/**
 * The links that are up, each with the certificate that its other end has proved to have. A link outlives the certificate
 * that it was made with, when that node proves to have another one; else it is ended.
 *
 * Invariants:
 * 1. A stream stands here from when it is up until either end closes it.
 * 2. `onClose` of a link's handlers comes once, also when it is ended here.
 */
import { SystemError } from "../../base/errors.ts";
import type { Stream, StreamHandlers } from "../../platform/types/network.ts";
import type { CertificateFacts, SecuredStream } from "../../platform/types/tls.ts";

/** Of a stream that nobody is told of. */
export const NOTHING: StreamHandlers = { onData() {}, onDrain() {}, onClose() {} };

export class LiveLinks {
  readonly #links = new Set<LiveLink>();

  add(stream: SecuredStream, address: string): LiveLink {
    const link = new LiveLink(stream, address, () => this.#links.delete(link));
    this.#links.add(link);
    return link;
  }

  all(): readonly LiveLink[] {
    return [...this.#links];
  }

  /** The node at the address has shown a certificate that is good. */
  proved(address: string, certificate: CertificateFacts): void {
    for (const link of this.#links) if (link.address === address) link.certificate = certificate;
  }
}

/** A link as its owner has it, who closes it or is told of its end. */
export class LiveLink implements Stream {
  readonly peer = undefined;
  readonly remoteAddress: string | undefined;
  readonly address: string;
  certificate: CertificateFacts;
  /** When it was first seen that the certificate does not hold any more. */
  brokenSinceMs: number | undefined;
  readonly #stream: SecuredStream;
  readonly #gone: () => void;
  #handlers: StreamHandlers = NOTHING;

  constructor(stream: SecuredStream, address: string, gone: () => void) {
    this.#stream = stream;
    this.#gone = gone;
    this.address = address;
    this.remoteAddress = stream.remoteAddress;
    this.certificate = stream.peerCertificate;
  }

  /** What serves the stream below. */
  serve(handlers: StreamHandlers): StreamHandlers {
    this.#handlers = handlers;
    return {
      onData: (chunk) => handlers.onData(chunk),
      onDrain: () => handlers.onDrain(),
      onClose: (reason) => {
        this.#gone();
        handlers.onClose(reason);
      },
    };
  }

  write(bytes: Uint8Array): number {
    return this.#stream.write(bytes);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#gone();
    this.#handlers = NOTHING;
    this.#stream.close();
  }

  /** Ends it as if the other end had. */
  end(code: string): void {
    const handlers = this.#handlers;
    this.close();
    handlers.onClose(new SystemError(code, "tls", this.address));
  }
}
