/**
 * All that node links over TLS are: the transport, our certificate and its renewal, what was refused, and whether the
 * certificates of links that are up still hold.
 *
 * A link whose certificate was revoked is ended at once. One whose certificate has ended goes on if the node shows a new one
 * that is good: it is asked for it by a short connection, and has until BROKEN_LINK_MS. So a renewal in time costs no link.
 */
import type { Logger } from "../../base/log.ts";
import type { Result } from "../../base/result.ts";
import type { Network } from "../../platform/types/network.ts";
import type { Clock, Timer, Timers } from "../../platform/types/time.ts";
import type { ReadTexts, TlsEngine } from "../../platform/types/tls.ts";
import { Credentials } from "./credentials.ts";
import { BROKEN_LINK_MS, LOOK_INTERVAL_MS } from "./limits.ts";
import { type LiveLink, LiveLinks } from "./live_links.ts";
import { type RefusalCause, refusalOf } from "./peer_certificate.ts";
import { Refusals } from "./refusals.ts";
import { TlsNodeTransport } from "./tls_node_transport.ts";

export interface TlsLinksParts {
  readonly engine: TlsEngine;
  readonly readTexts: ReadTexts;
  readonly network: Network;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly directory: string;
}

export interface TlsFacts {
  readonly refused: ReadonlyMap<RefusalCause, number>;
  readonly serial: string;
  readonly certificateUntilMs: number;
  /** The first end of one that we trust. */
  readonly authorityUntilMs: number;
}

export class TlsLinks {
  readonly transport: TlsNodeTransport;
  readonly #p: TlsLinksParts;
  readonly #credentials: Credentials;
  readonly #refusals: Refusals;
  readonly #links = new LiveLinks();
  readonly #asked = new Map<string, Timer>();
  #looks: Timer | undefined;
  #ownAddress = "";

  constructor(parts: TlsLinksParts) {
    this.#p = parts;
    this.#credentials = new Credentials(parts);
    this.#refusals = new Refusals(parts.log);
    const { network, clock, timers } = parts;
    this.transport = new TlsNodeTransport({
      ...{ network, clock, timers },
      credentials: this.#credentials,
      refusals: this.#refusals,
      links: this.#links,
    });
  }

  /** The files that `take` wants the texts of, in its order. */
  get paths(): readonly string[] {
    return this.#credentials.paths;
  }

  /** What the files say at the start; on failure there are no links. */
  take(texts: readonly string[]): Result<void> {
    return this.#credentials.take(texts);
  }

  /** Looks at files and links from now on. */
  start(ownAddress: string): void {
    this.#ownAddress = ownAddress;
    this.#looks ??= this.#p.timers.every(LOOK_INTERVAL_MS, () => this.look());
  }

  stop(): void {
    this.#looks?.cancel();
    this.#looks = undefined;
    for (const timer of this.#asked.values()) timer.cancel();
    this.#asked.clear();
  }

  /** The same at once, as after a reload. */
  look(): void {
    this.#credentials.look(() => this.#lookAtLinks());
  }

  get facts(): TlsFacts | undefined {
    const identity = this.#credentials.identity;
    if (identity === undefined) return undefined;
    return {
      refused: this.#refusals.counts,
      serial: identity.own.serial,
      certificateUntilMs: identity.own.notAfterMs,
      authorityUntilMs: Math.min(...identity.authorities.map(({ notAfterMs }) => notAfterMs)),
    };
  }

  #lookAtLinks(): void {
    if (this.#looks === undefined) return;
    const { clock, log } = this.#p;
    for (const link of this.#links.all()) {
      const refusal = refusalOf(link.certificate, {
        address: link.address,
        nowMs: clock.wallTime().sec * 1000,
        isRevoked: (serial) => this.#credentials.isRevoked(serial),
      });
      if (refusal === undefined) {
        link.brokenSinceMs = undefined;
        continue;
      }
      const nowMs = clock.monotonicMs();
      link.brokenSinceMs ??= nowMs;
      const isOver = nowMs - link.brokenSinceMs >= BROKEN_LINK_MS;
      if (refusal.cause === "expired" && !isOver) {
        this.#askForProof(link);
        continue;
      }
      log.error(`Ended the link with ${link.address} (${refusal.cause}): ${refusal.text}`);
      link.end("EKEYREJECTED");
    }
  }

  #askForProof({ address }: LiveLink): void {
    if (this.#asked.has(address)) return;
    const { transport } = this;
    const asked = transport.askForProof(address, this.#ownAddress, (certificate) => {
      this.#asked.delete(address);
      if (!certificate.ok) return;
      this.#p.log.notice(
        `The node at ${address} has shown certificate ${certificate.value.serial}`,
      );
      this.#links.proved(address, certificate.value);
    });
    this.#asked.set(address, asked);
  }
}
