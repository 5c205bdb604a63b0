/**
 * One TLS connection over a stream of ours, with the runtime's TLS between: what comes from below is pushed into a
 * Duplex that the runtime takes for its socket, and what it writes into that goes below.
 *
 * Invariants:
 * 1. `secured` is told once, never inside the constructor, and not after the stream below was closed.
 * 2. No handler runs inside write(), pause(), resume() or close(), nor after close(); onClose comes once.
 * 3. What waits to be written is at most one call of `write`, TAKEN_BYTES_MAX and its frame: while the stream below is full
 *    nothing is taken. What waits to be read is bounded by pausing the stream below.
 * 4. The memory that `write` was given is the caller's again when it returns.
 */
import { Duplex } from "node:stream";
import { connect, type SecureContext, TLSSocket } from "node:tls";
import { SystemError } from "../../base/errors.ts";
import { err, ok } from "../../base/result.ts";
import type { Stream, StreamHandlers } from "../types/network.ts";
import type {
  CertificateFacts,
  Handshake,
  HandshakeFailure,
  Secured,
  SecuredStream,
} from "../types/tls.ts";
import { certificateFacts } from "./tls_certificates.ts";
import { handshakeFailure } from "./tls_failures.ts";

/** Of one call of `write`: sixteen frames of TLS. */
const TAKEN_BYTES_MAX = 256 * 1024;
/** A frame of TLS begins with its kind; these begin a handshake, and refuse one. */
const KIND_HANDSHAKE = 0x16;
const KIND_ALERT = 0x15;

export interface SessionContext {
  readonly secure: SecureContext;
}

export class TlsSession implements SecuredStream, Handshake {
  readonly peer = undefined;
  readonly #below: Stream;
  readonly #secured: Secured;
  readonly #socket: TLSSocket;
  readonly #duplex: Duplex;
  #state: "handshake" | "open" | "closed" = "handshake";
  #handlers: StreamHandlers | undefined;
  #certificate: CertificateFacts | undefined;
  /** What the stream below did not take yet, and who is told when it has. */
  #rest: Uint8Array | undefined;
  #restTaken: (() => void) | undefined;
  /** `write` took less than it was given. */
  #wantsDrain = false;
  /** The stream below is paused because the runtime has enough. */
  #enough = false;
  #heardNothing = true;

  constructor(context: SessionContext, side: "client" | "server", below: Stream, secured: Secured) {
    this.#below = below;
    this.#secured = secured;
    this.#duplex = new Duplex({
      read: () => this.#wantsMore(),
      write: (chunk: Uint8Array, _encoding, taken) => this.#send(chunk, taken),
      final: (ended) => ended(),
    });
    this.#socket = this.#begin(context, side);
    this.#socket.on("error", (error) => this.#failed(error));
    this.#socket.on("close", () => this.#failed(undefined));
    this.#socket.on("end", () => this.#failed(undefined));
    this.#socket.on("data", (chunk: Uint8Array) => this.#handlers?.onData(chunk));
  }

  get remoteAddress(): string | undefined {
    return this.#below.remoteAddress;
  }

  get peerCertificate(): CertificateFacts {
    return this.#certificate as CertificateFacts;
  }

  /** Handlers of the stream below. */
  readonly below: StreamHandlers = {
    onData: (chunk) => this.#received(chunk),
    onDrain: () => this.#drained(),
    onClose: (reason) => this.#endedBelow(reason),
  };

  write(bytes: Uint8Array): number {
    if (this.#state !== "open" || bytes.length === 0) return 0;
    if (this.#rest !== undefined || this.#socket.writableLength > TAKEN_BYTES_MAX) {
      this.#wantsDrain = true;
      return 0;
    }
    // The runtime may keep what it is given until its next tick.
    const taken = bytes.slice(0, TAKEN_BYTES_MAX);
    this.#socket.write(taken, this.#written);
    if (taken.length < bytes.length) this.#wantsDrain = true;
    return taken.length;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  abort(): void {
    this.close();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#handlers = undefined;
    this.#socket.destroy();
    this.#duplex.destroy();
    this.#below.close();
  }

  #begin(context: SessionContext, side: "client" | "server"): TLSSocket {
    const options = {
      secureContext: context.secure,
      requestCert: true,
      rejectUnauthorized: true,
    };
    if (side === "server") {
      const socket = new TLSSocket(this.#duplex, { ...options, isServer: true });
      socket.on("secure", () => this.#proved());
      return socket;
    }
    const checkServerIdentity = () => undefined;
    const socket = connect({ ...options, socket: this.#duplex, checkServerIdentity });
    socket.on("secureConnect", () => this.#proved());
    return socket;
  }

  /** The handshake is over, and the runtime has verified the certificate. */
  #proved(): void {
    if (this.#state !== "handshake") return;
    const certificate = this.#socket.getPeerX509Certificate();
    if (certificate === undefined || !this.#socket.authorized) {
      const text = String(this.#socket.authorizationError ?? "no certificate");
      this.#fail(handshakeFailure({ code: text, message: text }));
      return;
    }
    if (this.#socket.isSessionReused()) {
      this.#fail({ cause: "protocol", text: "a session was resumed" });
      return;
    }
    this.#certificate = certificateFacts(certificate);
    this.#state = "open";
    this.#handlers = this.#secured(ok(this));
  }

  #received(chunk: Uint8Array): void {
    if (this.#state === "closed") return;
    if (this.#heardNothing) {
      this.#heardNothing = false;
      const [kind = 0] = chunk;
      if (kind !== KIND_HANDSHAKE && kind !== KIND_ALERT) {
        const text = `the first byte is 0x${kind.toString(16).padStart(2, "0")}`;
        this.#fail({ cause: "plain", text });
        return;
      }
    }
    if (this.#duplex.push(chunk.slice())) return;
    this.#enough = true;
    this.#below.pause();
  }

  #wantsMore(): void {
    if (!this.#enough) return;
    this.#enough = false;
    this.#below.resume();
  }

  #send(chunk: Uint8Array, taken: (error?: Error | null) => void): void {
    const count = this.#below.write(chunk);
    if (count === chunk.length) {
      taken();
      return;
    }
    this.#rest = chunk.subarray(count);
    this.#restTaken = taken;
  }

  #drained(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    const count = this.#below.write(rest);
    if (count < rest.length) {
      this.#rest = rest.subarray(count);
      return;
    }
    const taken = this.#restTaken;
    this.#rest = undefined;
    this.#restTaken = undefined;
    taken?.();
    this.#room();
  }

  readonly #written = (): void => this.#room();

  #room(): void {
    if (!this.#wantsDrain || this.#rest !== undefined) return;
    this.#wantsDrain = false;
    this.#handlers?.onDrain();
  }

  #endedBelow(reason: SystemError | undefined): void {
    if (this.#state === "handshake") {
      const text = reason?.message ?? "it closed the connection";
      this.#fail({ cause: "ended by the other", text });
      return;
    }
    // What had arrived is handed out before the end.
    if (reason === undefined) this.#duplex.push(null);
    else this.#end(reason);
  }

  #failed(error: unknown): void {
    if (this.#state === "handshake") {
      this.#fail(handshakeFailure(error));
      return;
    }
    const reason =
      error === undefined
        ? undefined
        : new SystemError("EPROTO", "tls", this.remoteAddress ?? "", { cause: error });
    this.#end(reason);
  }

  #fail(failure: HandshakeFailure): void {
    if (this.#state !== "handshake") return;
    this.close();
    this.#secured(err(failure));
  }

  #end(reason: SystemError | undefined): void {
    if (this.#state !== "open") return;
    const handlers = this.#handlers;
    this.close();
    handlers?.onClose(reason);
  }
}
