/**
 * Nodes over mutual TLS. Who connects from a node's address and proves by its certificate to be of that address is that
 * node; a node that we connect to proves the same.
 *
 *     connecting                                     accepting
 *     TCP, TLS handshake, check of the certificate
 *     what for: a link, or only a proof  ──────────▶ check of the certificate
 *                                        ◀────────── let in
 *     up                                             up
 *
 * In TLS 1.3 the connecting side is through before the other has looked at its certificate: if it did not wait to be let
 * in, it would take a connection for up that is refused a moment later.
 *
 * Invariants:
 * 1. No byte of a packet is handed out before the certificate was checked.
 * 2. A handshake has a deadline, and bounds on its bytes and on how many there are; what fails costs nothing but itself.
 * 3. Each refusal is counted by its cause (refusals.ts).
 */
import { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type {
  AcceptNotices,
  ConnectCallback,
  Network,
  Stream,
  StreamHandlers,
  StreamServer,
} from "../../platform/types/network.ts";
import type { Clock, Timer, Timers } from "../../platform/types/time.ts";
import type { CertificateFacts, Handshake, SecuredStream } from "../../platform/types/tls.ts";
import { CTDB_PORT } from "../../wire/constants.ts";
import { CONNECT_TIMEOUT_MS } from "../limits.ts";
import {
  type IncomingStream,
  type NodeAddress,
  type NodeTransport,
  plainAddress,
} from "../node_transport.ts";
import type { Credentials } from "./credentials.ts";
import { IncomingHandshakes } from "./incoming_handshakes.ts";
import { HANDSHAKE_BYTES_MAX, HANDSHAKE_TIMEOUT_MS } from "./limits.ts";
import { type LiveLinks, NOTHING } from "./live_links.ts";
import { type AttemptEnded, OutgoingAttempt } from "./outgoing_attempt.ts";
import { type Refusal, refusalOf } from "./peer_certificate.ts";
import type { Refusals } from "./refusals.ts";

export interface TlsNodeTransportParts {
  readonly network: Network;
  readonly credentials: Credentials;
  readonly refusals: Refusals;
  readonly links: LiveLinks;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** What the connecting side says first. */
const FOR_A_LINK = 1;
const FOR_A_PROOF = 2;
/** What the accepting side says then. */
const LET_IN = 1;

type Accept = (incoming: IncomingStream) => StreamHandlers;

export class TlsNodeTransport implements NodeTransport {
  readonly #p: TlsNodeTransportParts;
  readonly #incoming = new IncomingHandshakes();

  constructor(parts: TlsNodeTransportParts) {
    this.#p = parts;
  }

  listen(
    ownAddress: string,
    accept: Accept,
    notices: AcceptNotices,
  ): Result<StreamServer, SystemError> {
    const accepted = (below: Stream) => this.#accepted(below, accept);
    return this.#p.network.listenTcp(ownAddress, CTDB_PORT, accepted, notices);
  }

  connect(to: NodeAddress, ownAddress: string, connected: ConnectCallback): Timer {
    return this.#connect(to.address, ownAddress, FOR_A_LINK, (outcome) => {
      if (!outcome.ok) return connected(outcome);
      const link = this.#p.links.add(outcome.value, to.address);
      const handlers = connected(ok(link));
      return handlers === undefined ? undefined : link.serve(handlers);
    });
  }

  /** Has the node at this address show its certificate of now. */
  askForProof(
    address: string,
    ownAddress: string,
    proved: (certificate: Result<CertificateFacts, SystemError>) => void,
  ): Timer {
    return this.#connect(address, ownAddress, FOR_A_PROOF, (outcome) => {
      if (outcome.ok) outcome.value.close();
      proved(outcome.ok ? ok(outcome.value.peerCertificate) : outcome);
      return undefined;
    });
  }

  // --- the connecting side

  #connect(address: string, localAddress: string, purpose: number, ended: AttemptEnded): Timer {
    const { network, timers } = this.#p;
    const attempt = new OutgoingAttempt(ended);
    attempt.deadline = timers.after(CONNECT_TIMEOUT_MS, () => {
      if (attempt.handshake !== undefined) {
        const text = `no end of a handshake in ${CONNECT_TIMEOUT_MS} ms`;
        this.#p.refusals.add("to", address, { cause: "timeout", text });
      }
      attempt.fail("ETIMEDOUT", address);
    });
    const options = { address, port: CTDB_PORT, localAddress, timeoutMs: CONNECT_TIMEOUT_MS };
    attempt.connecting = network.connectTcp(options, (outcome) => {
      if (outcome.ok) return this.#prove(address, purpose, outcome.value, attempt);
      attempt.end(outcome);
      return undefined;
    });
    return { cancel: () => attempt.cancel() };
  }

  /** Who they are, and whether they let us in. */
  #prove(
    address: string,
    purpose: number,
    below: Stream,
    attempt: OutgoingAttempt,
  ): StreamHandlers {
    const identity = this.#p.credentials.identity;
    if (identity === undefined) {
      below.close();
      attempt.end(err(new SystemError("ENOKEY", "tls", address)));
      return NOTHING;
    }
    const refused = (refusal: Refusal): undefined => {
      if (!attempt.over) this.#p.refusals.add("to", address, refusal);
      attempt.fail("EACCES", address);
    };
    const handshake = identity.begin("client", below, (outcome) => {
      if (!outcome.ok) return refused(outcome.error);
      const stream = outcome.value;
      const refusal = this.#refusal(stream, address);
      if (refusal !== undefined) return refused(refusal);
      stream.write(Uint8Array.of(purpose));
      return this.#awaitLetIn(stream, address, attempt, refused);
    });
    attempt.handshake = handshake;
    return bounded(handshake, attempt, refused);
  }

  #awaitLetIn(
    stream: SecuredStream,
    address: string,
    attempt: OutgoingAttempt,
    refused: (refusal: Refusal) => void,
  ): StreamHandlers {
    const first = (answer: number): StreamHandlers | undefined => {
      if (answer === LET_IN) {
        this.#p.refusals.letIn("to", address);
        return attempt.end(ok(stream)) ?? NOTHING;
      }
      refused({ cause: "protocol", text: `expected ${LET_IN} as its answer, got ${answer}` });
      return undefined;
    };
    return afterFirstByte(first, () => {
      const text = "it closed the connection when it had seen our certificate";
      refused({ cause: "ended by the other", text });
    });
  }

  // --- the accepting side

  #accepted(below: Stream, accept: Accept): StreamHandlers {
    const { credentials, refusals, timers } = this.#p;
    const from = plainAddress(below);
    const identity = credentials.identity;
    const tooMany = this.#incoming.tooMany(from);
    if (identity === undefined || tooMany !== undefined) {
      const text = tooMany ?? "we have no certificate";
      refusals.add("from", from, { cause: "too much", text });
      below.close();
      return NOTHING;
    }
    this.#incoming.begin(from);
    const progress = { over: false };
    const finish = (refusal?: Refusal): void => {
      if (progress.over) return;
      progress.over = true;
      deadline.cancel();
      this.#incoming.end(from);
      if (refusal === undefined) {
        refusals.letIn("from", from);
        return;
      }
      refusals.add("from", from, refusal);
      handshake.abort();
    };
    const deadline = timers.after(HANDSHAKE_TIMEOUT_MS, () => {
      const text = `no TLS in ${HANDSHAKE_TIMEOUT_MS} ms; does it speak plain?`;
      finish({ cause: "timeout", text });
    });
    const handshake = identity.begin("server", below, (outcome) => {
      if (progress.over) return undefined;
      const refusal = outcome.ok ? this.#refusal(outcome.value, from) : outcome.error;
      if (refusal !== undefined) finish(refusal);
      if (!outcome.ok || refusal !== undefined) return undefined;
      return this.#awaitPurpose(outcome.value, from, finish, accept);
    });
    return bounded(handshake, progress, finish);
  }

  #awaitPurpose(
    stream: SecuredStream,
    from: string,
    finish: (refusal?: Refusal) => void,
    accept: Accept,
  ): StreamHandlers {
    const first = (purpose: number): StreamHandlers | undefined => {
      if (purpose !== FOR_A_LINK && purpose !== FOR_A_PROOF) {
        const text = `expected ${FOR_A_LINK} or ${FOR_A_PROOF} as what it wants, got ${purpose}`;
        finish({ cause: "protocol", text });
        return undefined;
      }
      finish();
      stream.write(Uint8Array.of(LET_IN));
      this.#p.links.proved(from, stream.peerCertificate);
      // Whoever wanted a proof closes.
      if (purpose === FOR_A_PROOF) return NOTHING;
      const link = this.#p.links.add(stream, from);
      const isOf = ({ address }: NodeAddress) => address === from;
      return link.serve(accept({ stream: link, from, isOf }));
    };
    return afterFirstByte(first, () => {
      finish({ cause: "ended by the other", text: "it closed the connection" });
    });
  }

  #refusal({ peerCertificate }: SecuredStream, address: string): Refusal | undefined {
    const { credentials, clock } = this.#p;
    return refusalOf(peerCertificate, {
      address,
      nowMs: clock.wallTime().sec * 1000,
      isRevoked: (serial) => credentials.isRevoked(serial),
    });
  }
}

/** Handlers that hand a stream on after its first byte; `first` says to whom, if to anybody. */
function afterFirstByte(
  first: (byte: number) => StreamHandlers | undefined,
  closedBefore: () => void,
): StreamHandlers {
  let served: StreamHandlers | undefined;
  return {
    onData: (chunk) => {
      if (served !== undefined) return served.onData(chunk);
      const [byte = 0] = chunk;
      served = first(byte);
      if (chunk.length > 1) served?.onData(chunk.subarray(1));
      return undefined;
    },
    onDrain: () => served?.onDrain(),
    onClose: (reason) => (served === undefined ? closedBefore() : served.onClose(reason)),
  };
}

/** The handlers of the stream below, with a bound on what comes before all is proved. */
function bounded(
  { below }: Handshake,
  progress: { readonly over: boolean },
  refuse: (refusal: Refusal) => void,
): StreamHandlers {
  let bytes = 0;
  return {
    onData: (chunk) => {
      if (!progress.over) {
        bytes += chunk.length;
        if (bytes > HANDSHAKE_BYTES_MAX) {
          return refuse({ cause: "too much", text: `more than ${HANDSHAKE_BYTES_MAX} bytes` });
        }
      }
      return below.onData(chunk);
    },
    onDrain: () => below.onDrain(),
    onClose: (reason) => below.onClose(reason),
  };
}
