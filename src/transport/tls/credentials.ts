/**
 * Our certificate, the authorities and the list of revoked certificates, as files say now. They are looked at from time to
 * time and after a reload; connections that are made later use what was found.
 *
 * Invariants:
 * 1. Files that are wrong change nothing, and each text of a reason is told once.
 * 2. A certificate and a key that do not belong together, as between two renames, are wrong files.
 */
import type { Logger } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Clock } from "../../platform/types/time.ts";
import type {
  CertificateFacts,
  ReadTexts,
  TlsEngine,
  TlsIdentity,
} from "../../platform/types/tls.ts";
import { parseRevoked, TLS_FILES } from "./files.ts";
import { DAY_MS, REVOKED_MAX, WARNED_DAYS } from "./limits.ts";
import { timeText } from "./peer_certificate.ts";

export interface CredentialsParts {
  readonly engine: TlsEngine;
  readonly readTexts: ReadTexts;
  readonly clock: Clock;
  readonly log: Logger;
  readonly directory: string;
}

interface Taken {
  readonly texts: readonly string[];
  readonly identity: TlsIdentity;
  readonly revoked: ReadonlySet<string>;
}

export class Credentials {
  readonly #p: CredentialsParts;
  #taken: Taken | undefined;
  #toldProblem = "";
  #warnedMs = Number.NEGATIVE_INFINITY;
  #looking = false;

  constructor(parts: CredentialsParts) {
    this.#p = parts;
  }

  /** Undefined before the first texts were taken. */
  get identity(): TlsIdentity | undefined {
    return this.#taken?.identity;
  }

  isRevoked(serial: string): boolean {
    return this.#taken?.revoked.has(serial) ?? false;
  }

  /** Where texts come from, in the order of `take`. */
  get paths(): readonly string[] {
    const { certificate, key, authorities, revoked } = TLS_FILES;
    return [certificate, key, authorities, revoked].map((name) => `${this.#p.directory}/${name}`);
  }

  /** Reads the files, and says when that is over. */
  look(over: () => void): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#p.readTexts(this.paths, (texts) => {
      this.#looking = false;
      const taken = texts.ok ? this.take(texts.value) : texts;
      if (taken.ok) this.#toldProblem = "";
      else this.#tell(taken.error);
      this.#warn();
      over();
    });
  }

  take(texts: readonly string[]): Result<void> {
    if (this.#taken?.texts.every((text, index) => text === texts[index])) return ok(undefined);
    const [certificate = "", key = "", authorities = "", list = ""] = texts;
    const revoked = parseRevoked(list, REVOKED_MAX);
    if (!revoked.ok) return err(`"${this.paths[3]}": ${revoked.error}`);
    const identity = this.#p.engine.identity({ certificate, key, authorities });
    if (!identity.ok) return err(`files of "${this.#p.directory}": ${identity.error}`);
    const before = this.#taken?.identity.own;
    this.#taken = { texts, identity: identity.value, revoked: revoked.value };
    if (before?.serial !== identity.value.own.serial) this.#warnedMs = Number.NEGATIVE_INFINITY;
    this.#p.log.notice(`TLS for node links: ${facts(identity.value)}`);
    return ok(undefined);
  }

  get #nowMs(): number {
    return this.#p.clock.wallTime().sec * 1000;
  }

  #tell(problem: string): void {
    if (problem === this.#toldProblem) return;
    this.#toldProblem = problem;
    this.#p.log.error(`Cannot take new certificates, the old ones stay: ${problem}`);
  }

  #warn(): void {
    const identity = this.#taken?.identity;
    if (identity === undefined || this.#nowMs - this.#warnedMs < DAY_MS) return;
    for (const certificate of [identity.own, ...identity.authorities]) {
      const days = (certificate.notAfterMs - this.#nowMs) / DAY_MS;
      if (days > WARNED_DAYS) continue;
      this.#warnedMs = this.#nowMs;
      this.#p.log.warning(expiryText(certificate, days));
    }
  }
}

function facts({ own, authorities }: TlsIdentity): string {
  const serials = authorities.map(({ serial }) => serial).join(", ");
  return `certificate ${own.serial} of ${own.addresses.join(", ")} until ${timeText(own.notAfterMs)}, authorities ${serials}`;
}

function expiryText({ serial, notAfterMs, isAuthority }: CertificateFacts, days: number): string {
  const what = isAuthority ? "authority's certificate" : "certificate for node links";
  const when = timeText(notAfterMs);
  if (days < 0) return `The ${what} ${serial} ended ${when}: no node lets us in`;
  return `The ${what} ${serial} ends ${when}, in ${Math.floor(days)} days: renew it (ctdb-appliance ca)`;
}
