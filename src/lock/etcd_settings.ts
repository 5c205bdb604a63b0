/**
 * What ctdb_etcd_lock reads: `NAME = value` lines, named as the original's configuration names them, and a few of our own.
 * All problems are told at once. What only the original's client library understands is a warning.
 */
import { parseWhole } from "../base/c_number.ts";
import { err, ok, type Result } from "../base/result.ts";
import { parseIni } from "../config/ini.ts";
import type { ConfigProblem } from "../config/types.ts";

export interface EtcdSettings {
  /** In the order in which they are tried. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly protocol: "http" | "https";
  /** After so many seconds without a renewal etcd gives the lock to others. */
  readonly lockTtlSec: number;
  /** Between renewals. */
  readonly refreshSec: number;
  readonly locksDirectory: string;
  /** Seconds that a host has for an answer. */
  readonly readTimeoutSec: number;
  /** Instead of Samba's "netbios name": ours. */
  readonly lockName?: string;
  readonly username?: string;
  readonly password?: string;
  /** Files in PEM form. */
  readonly certificate?: string;
  readonly key?: string;
  readonly authority?: string;
}

export interface LoadedEtcdSettings {
  readonly settings: EtcdSettings;
  readonly warnings: readonly ConfigProblem[];
}

const PORT_MAX = 65_535;
const SECONDS_MAX = 86_400;
/** A lease of a second is over before its first renewal. */
const TTL_SEC_MIN = 2;
const READ_TIMEOUT_SEC = 5;

/** Options of the original's client library without a meaning here. */
const IGNORED = new Set([
  "srv_domain",
  "version_prefix",
  "allow_redirect",
  "allow_reconnect",
  "use_proxies",
  "expected_cluster_id",
  "per_host_pool_size",
]);

/** `refresh` is what the manual says, `lock_refresh` what the original reads. */
const TEXTS = ["host", "protocol", "locks_dir", "lock_name", "username", "password"] as const;
const FILES = ["cert", "key", "ca_cert"] as const;
const NUMBERS = {
  port: PORT_MAX,
  lock_ttl: SECONDS_MAX,
  refresh: SECONDS_MAX,
  lock_refresh: SECONDS_MAX,
  read_timeout: SECONDS_MAX,
} as const;

class Reader {
  readonly texts = new Map<string, string>();
  readonly numbers = new Map<string, number>();
  readonly problems: ConfigProblem[] = [];
  readonly #file: string;

  constructor(text: string, file: string) {
    this.#file = file;
    for (const line of parseIni(text)) {
      if (line.kind === "malformed") this.complain(line.line, line.reason);
      else if (line.kind === "section") this.complain(line.line, 'expected "name = value"');
      else this.#option(line.line, line.name, line.value);
    }
  }

  complain(line: number, reason: string, severity: ConfigProblem["severity"] = "error"): void {
    this.problems.push({ file: this.#file, line, reason, severity });
  }

  #option(line: number, name: string, value: string): void {
    const max = Object.entries(NUMBERS).find(([known]) => known === name)?.[1];
    if (max !== undefined) {
      const number = parseWhole(value, max);
      if (number !== undefined && number > 0) this.numbers.set(name, number);
      else this.complain(line, `${name}: expected a number from 1 to ${max}, got "${value}"`);
    } else if ([...TEXTS, ...FILES].some((known) => known === name)) {
      if (value === "") this.complain(line, `${name}: expected a value, got ""`);
      else this.texts.set(name, value);
    } else if (IGNORED.has(name)) {
      this.complain(line, `${name} has no meaning here`, "warning");
    } else {
      this.complain(line, `unknown option "${name}"`, "warning");
    }
  }
}

export function parseEtcdSettings(
  text: string,
  file: string,
): Result<LoadedEtcdSettings, readonly ConfigProblem[]> {
  const reader = new Reader(text, file);
  const { texts, numbers, problems } = reader;
  const protocol = texts.get("protocol") ?? "http";
  if (protocol !== "http" && protocol !== "https") {
    reader.complain(0, `protocol: expected http or https, got "${protocol}"`);
  }
  const lockTtlSec = numbers.get("lock_ttl") ?? 9;
  const refreshSec = numbers.get("refresh") ?? numbers.get("lock_refresh") ?? 2;
  if (lockTtlSec < TTL_SEC_MIN) {
    reader.complain(0, `lock_ttl: expected at least ${TTL_SEC_MIN}, got "${lockTtlSec}"`);
  }
  if (refreshSec >= lockTtlSec) {
    reader.complain(0, `refresh: expected less than lock_ttl (${lockTtlSec}), got "${refreshSec}"`);
  }
  const hosts = (texts.get("host") ?? "127.0.0.1").split(",").map((host) => host.trim());
  if (hosts.includes("")) reader.complain(0, `host: expected hosts, got "${texts.get("host")}"`);
  for (const [one, other] of [
    ["username", "password"],
    ["key", "cert"],
  ] as const) {
    if (texts.has(one) && !texts.has(other)) reader.complain(0, `${one}: expected ${other}, too`);
  }
  if (problems.some(({ severity }) => severity === "error")) return err(problems);
  const optional = (name: string, given: string | undefined) =>
    given === undefined ? {} : { [name]: given };
  return ok({
    settings: {
      hosts,
      port: numbers.get("port") ?? 2379,
      protocol: protocol === "https" ? "https" : "http",
      lockTtlSec,
      refreshSec,
      locksDirectory: texts.get("locks_dir") ?? "_ctdb",
      readTimeoutSec: numbers.get("read_timeout") ?? READ_TIMEOUT_SEC,
      ...optional("lockName", texts.get("lock_name")),
      ...optional("username", texts.get("username")),
      ...optional("password", texts.get("password")),
      ...optional("certificate", texts.get("cert")),
      ...optional("key", texts.get("key")),
      ...optional("authority", texts.get("ca_cert")),
    },
    warnings: problems,
  });
}
