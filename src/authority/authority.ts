/**
 * A certificate authority of a cluster, as a directory:
 *
 *     ca.key                the key that signs, and its certificate
 *     ca.crt                that certificate, and those of authorities before it that are still trusted
 *     issued                a line for each certificate: its serial number, its end, its address
 *     revoked               serial numbers (transport/tls/files.ts)
 *     nodes/ADDRESS/        what that node needs, to be copied to its `tls directory` as it is
 *
 * Invariants:
 * 1. A key is never replaced by an authority that was not asked to; `init` refuses a directory that has one.
 * 2. A certificate stands in `issued` before it exists, so that one that nobody knows of cannot escape `revoke`.
 * 3. Files are replaced by renaming; a node's key before its certificate. The key that signs and its certificate are
 *    one file: whoever was interrupted between `ca.key` and `ca.crt` has made the new authority, which stands in
 *    `ca.crt` as soon as that is written again.
 * 4. Nobody is told of fewer revoked certificates than there are: a list that cannot be read ends the command.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { FileSystem } from "../platform/types/files.ts";
import type { Keys, SigningKey } from "../platform/types/keys.ts";
import type { Clock } from "../platform/types/time.ts";
import type { CertificateFacts, TlsEngine } from "../platform/types/tls.ts";
import { parseRevoked, TLS_FILES } from "../transport/tls/files.ts";
import { DAY_MS, REVOKED_MAX } from "../transport/tls/limits.ts";
import { addressBytes, parseAddress } from "../wire/structs/socket_address.ts";
import { authorityCertificate, nodeCertificate, SERIAL_BYTES } from "./certificate.ts";
import { type Issued, issuedLine, parseIssued } from "./issued.ts";

export interface AuthorityParts {
  readonly files: FileSystem;
  readonly keys: Keys;
  readonly certificates: TlsEngine["certificates"];
  readonly clock: Clock;
  readonly directory: string;
}

export interface NodeCertificate extends Issued {
  readonly isRevoked: boolean;
  /** The one that the node's directory has. */
  readonly isCurrent: boolean;
}

const KEY_MODE = 0o600;
const TEXT_MODE = 0o644;
const DIRECTORY_MODE = 0o700;
/** A node whose clock is a little behind takes a new certificate too. */
const BACKDATED_MS = 60 * 60 * 1000;

interface Signer {
  readonly name: string;
  readonly key: SigningKey;
  /** In PEM. */
  readonly certificate: string;
  /** That one, and those that are still trusted. */
  readonly bundle: string;
}
const CERTIFICATE_BEGINS = "-----BEGIN CERTIFICATE-----";

export class Authority {
  readonly #p: AuthorityParts;

  constructor(parts: AuthorityParts) {
    this.#p = parts;
  }

  init(days: number): Result<void> {
    const { files, directory } = this.#p;
    if (files.exists(this.#path("ca.key"))) {
      return err(`"${directory}" has an authority already: remove it, or choose another directory`);
    }
    for (const path of [directory, this.#path("nodes")]) {
      if (files.kindOf(path) === "directory") continue;
      const made = files.makeDirectory(path, DIRECTORY_MODE);
      if (!made.ok) return err(`Cannot make an authority: ${made.error.message}`);
    }
    return this.#makeSigner(days, "");
  }

  /** Keys and certificates for nodes, one for each address; those that were before stay valid. */
  issue(addresses: readonly string[], days: number): Result<readonly CertificateFacts[]> {
    const signer = this.#signer();
    if (!signer.ok) return signer;
    const plain: string[] = [];
    for (const text of addresses) {
      const parsed = parseAddress(text);
      if (!parsed.ok) return parsed;
      plain.push(parsed.value.address);
    }
    const made: CertificateFacts[] = [];
    for (const address of plain) {
      const one = this.#issueOne(signer.value, address, days);
      if (!one.ok) return one;
      made.push(one.value);
    }
    return ok(made);
  }

  /** Every certificate that was issued, the oldest first. */
  list(): Result<readonly NodeCertificate[]> {
    const issued = this.#issued();
    if (!issued.ok) return issued;
    const text = this.#textOf("revoked");
    if (!text.ok) return text;
    const revoked = parseRevoked(text.value, REVOKED_MAX);
    if (!revoked.ok) return err(`"${this.#path("revoked")}": ${revoked.error}`);
    const current = new Map(
      issued.value.map(({ address }) => [address, this.#currentSerial(address)] as const),
    );
    return ok(
      issued.value.map((one) => ({
        ...one,
        isRevoked: revoked.value.has(one.serial),
        isCurrent: current.get(one.address) === one.serial,
      })),
    );
  }

  /** Addresses of nodes whose certificates of now end within so many days. */
  endingWithin(days: number): Result<readonly string[]> {
    const listed = this.list();
    if (!listed.ok) return listed;
    const untilMs = this.#nowMs + days * DAY_MS;
    const ending = listed.value.filter(
      (one) => one.isCurrent && !one.isRevoked && one.untilMs <= untilMs,
    );
    return ok(ending.map(({ address }) => address));
  }

  /** Of an address: all its certificates that have not ended. Gives the serial numbers. */
  revoke(addressOrSerial: string): Result<readonly string[]> {
    const listed = this.list();
    if (!listed.ok) return listed;
    const address = parseAddress(addressOrSerial);
    const wanted = address.ok ? address.value.address : addressOrSerial.toUpperCase();
    const found = listed.value.filter((one) => one.address === wanted || one.serial === wanted);
    const fresh = found.filter((one) => !one.isRevoked && one.untilMs > this.#nowMs);
    if (found.length === 0) {
      return err(`expected an address or a serial number of "ca list", got "${addressOrSerial}"`);
    }
    if (fresh.length === 0) return err(`"${addressOrSerial}": nothing is left to revoke`);
    const lines = fresh.map((one) => `${one.serial} ${one.address} ${dayText(this.#nowMs)}\n`);
    const written = this.#append("revoked", lines.join(""));
    if (!written.ok) return written;
    const spread = this.#spread();
    return spread.ok ? ok(fresh.map(({ serial }) => serial)) : spread;
  }

  /** A new authority that signs from now on; the one before is still trusted. */
  rotate(days: number): Result<void> {
    const signer = this.#signer();
    if (!signer.ok) return signer;
    const made = this.#makeSigner(days, signer.value.bundle);
    return made.ok ? this.#spread() : made;
  }

  /**
   * Only the authority that signs is trusted from now on: nodes that still have a certificate of an old one are let in
   * nowhere.
   */
  retire(): Result<void> {
    const signer = this.#signer();
    if (!signer.ok) return signer;
    const written = this.#replace("ca.crt", signer.value.certificate, TEXT_MODE);
    return written.ok ? this.#spread() : written;
  }

  authorities(): Result<readonly CertificateFacts[]> {
    const signer = this.#signer();
    return signer.ok ? this.#p.certificates(signer.value.bundle) : signer;
  }

  get #nowMs(): number {
    return this.#p.clock.wallTime().sec * 1000;
  }

  #path(name: string): string {
    return `${this.#p.directory}/${name}`;
  }

  #makeSigner(days: number, before: string): Result<void> {
    const { keys } = this.#p;
    const key = keys.make();
    const serial = this.#newSerial();
    const certificate = authorityCertificate(
      {
        serial,
        key,
        name: `ctdb authority ${serial.toHex().slice(0, 8)}`,
        ...this.#validity(days),
      },
      keys,
    );
    const written = this.#replace("ca.key", key.pem + certificate, KEY_MODE);
    return written.ok ? this.#replace("ca.crt", certificate + before, TEXT_MODE) : written;
  }

  /** Positive, and its first byte is none that numbers leave out (RFC 5280, 4.1.2.2). */
  #newSerial(): Uint8Array {
    const serial = this.#p.keys.random(SERIAL_BYTES);
    serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
    return serial;
  }

  #validity(days: number) {
    const nowMs = this.#nowMs;
    return { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + days * DAY_MS };
  }

  #signer(): Result<Signer> {
    const { files, keys, certificates, directory } = this.#p;
    const pem = files.readText(this.#path("ca.key"));
    if (!pem.ok) {
      const why = pem.error.code === "ENOENT" ? 'run "ctdb-appliance ca init" first' : "";
      return err(`"${directory}" is no authority: ${pem.error.message}${why && `, ${why}`}`);
    }
    const key = keys.read(pem.value);
    if (!key.ok) return err(`"${this.#path("ca.key")}": ${key.error}`);
    const own = certificates(pem.value);
    if (!own.ok) return err(`"${this.#path("ca.key")}": ${own.error}`);
    const name = own.value[0]?.subject.replace(/^CN=/, "") ?? "";
    const certificate = pem.value.slice(pem.value.indexOf(CERTIFICATE_BEGINS));
    const trusted = this.#textOf("ca.crt");
    if (!trusted.ok) return trusted;
    const isThere = trusted.value.startsWith(certificate);
    const bundle = isThere ? trusted.value : certificate + trusted.value;
    return ok({ name, key: key.value, certificate, bundle });
  }

  #issueOne(signer: Signer, address: string, days: number): Result<CertificateFacts> {
    const { files, keys, certificates } = this.#p;
    const serial = this.#newSerial();
    const key = keys.make();
    const validity = this.#validity(days);
    const text = nodeCertificate(
      {
        serial,
        key,
        name: `ctdb node ${address}`,
        addresses: [addressBytes(address)],
        ...validity,
      },
      signer,
      keys,
    );
    const line = issuedLine({
      serial: serial.toHex().toUpperCase(),
      untilMs: validity.untilMs,
      address,
    });
    const written = this.#append("issued", line);
    if (!written.ok) return written;
    const folder = `nodes/${address}`;
    if (files.kindOf(this.#path(folder)) !== "directory") {
      const made = files.makeDirectory(this.#path(folder), DIRECTORY_MODE);
      if (!made.ok) return err(made.error.message);
    }
    const spread = this.#spreadTo(address);
    if (!spread.ok) return spread;
    const keyWritten = this.#replace(`${folder}/${TLS_FILES.key}`, key.pem, KEY_MODE);
    if (!keyWritten.ok) return keyWritten;
    const done = this.#replace(`${folder}/${TLS_FILES.certificate}`, text, TEXT_MODE);
    if (!done.ok) return done;
    const facts = certificates(text);
    if (!facts.ok) return facts;
    const [first] = facts.value;
    return first === undefined ? err("expected a certificate") : ok(first);
  }

  #currentSerial(address: string): string | undefined {
    const text = this.#p.files.readText(this.#path(`nodes/${address}/${TLS_FILES.certificate}`));
    const facts = text.ok ? this.#p.certificates(text.value) : text;
    return facts.ok ? facts.value[0]?.serial : undefined;
  }

  #issued(): Result<readonly Issued[]> {
    const signer = this.#signer();
    if (!signer.ok) return signer;
    const text = this.#textOf("issued");
    if (!text.ok) return text;
    const issued = parseIssued(text.value);
    return issued.ok ? issued : err(`"${this.#path("issued")}": ${issued.error}`);
  }

  /** Empty when there is no such file. */
  #textOf(name: string): Result<string> {
    const text = this.#p.files.readText(this.#path(name));
    if (text.ok) return text;
    return text.error.code === "ENOENT" ? ok("") : err(text.error.message);
  }

  /** What all nodes have alike goes to each. */
  #spread(): Result<void> {
    const listed = this.#p.files.list(this.#path("nodes"));
    if (!listed.ok) return err(listed.error.message);
    for (const address of listed.value) {
      const spread = this.#spreadTo(address);
      if (!spread.ok) return spread;
    }
    return ok(undefined);
  }

  #spreadTo(address: string): Result<void> {
    const signer = this.#signer();
    if (!signer.ok) return signer;
    const revoked = this.#textOf("revoked");
    if (!revoked.ok) return revoked;
    const folder = `nodes/${address}`;
    const { bundle } = signer.value;
    const written = this.#replace(`${folder}/${TLS_FILES.authorities}`, bundle, TEXT_MODE);
    if (!written.ok) return written;
    return this.#replace(`${folder}/${TLS_FILES.revoked}`, revoked.value, TEXT_MODE);
  }

  #append(name: string, text: string): Result<void> {
    const before = this.#textOf(name);
    return before.ok ? this.#replace(name, before.value + text, TEXT_MODE) : before;
  }

  #replace(name: string, text: string, mode: number): Result<void> {
    const { files } = this.#p;
    const path = this.#path(name);
    const fresh = `${path}.new`;
    // One that a killed run has left may have another mode.
    if (files.exists(fresh)) files.remove(fresh);
    const written = files.writeText(fresh, text, mode);
    if (!written.ok) return err(written.error.message);
    const renamed = files.rename(fresh, path);
    return renamed.ok ? ok(undefined) : err(renamed.error.message);
  }
}

export function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
