/**
 * The options of ctdb-admind in ctdb-appliance.conf: [admin] and [journal]. It reads them when it starts; ctdbd starts it
 * anew when one has changed, and so a running node takes all of them (docs/admin.md).
 */
import * as v from "valibot";
import { parseWhole } from "../base/c_number.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";
import type { OptionReader } from "./option_reader.ts";
import { type AnyOption, define, optionPath } from "./option_table.ts";
import { optionalText, text, truth } from "./option_values.ts";
import { type ProblemList, quoted } from "./problems.ts";

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

export interface AdminConfig {
  /** ctdbd starts ctdb-admind. */
  readonly enabled: boolean;
  /** undefined: only the unix socket. */
  readonly listen: ListenAddress | undefined;
  readonly tokenFile: string | undefined;
  readonly tlsCertificate: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsClientCa: string | undefined;
  /** What changes something is allowed, to those who may. */
  readonly actions: boolean;
  readonly webhooks: readonly string[];
  readonly metrics: boolean;
}

export interface JournalConfig {
  readonly directory: string;
  readonly keepDays: number;
  readonly keepMegabytes: number;
}

const WEBHOOKS_MAX = 16;
const KEEP_DAYS_MAX = 3650;
const KEEP_MEGABYTES_MIN = 16;
const KEEP_MEGABYTES_MAX = 1024 * 1024;

const listenAddress: v.GenericSchema<string, string | undefined> = v.pipe(
  text,
  v.check((value) => parseListen(value) !== undefined, "expected ADDRESS:PORT or [ADDRESS]:PORT"),
);

const urls: v.GenericSchema<string, readonly string[]> = v.pipe(
  text,
  v.transform((value) => value.split(" ")),
  v.maxLength(WEBHOOKS_MAX, `expected at most ${WEBHOOKS_MAX} addresses`),
  v.check(
    (values) => values.every((value) => /^https?:\/\/[^\s/]/.test(value) && URL.canParse(value)),
    "expected addresses that begin with http:// or https://, with spaces between",
  ),
);

function whole(what: string, min: number, max: number): v.GenericSchema<string, number> {
  const expected = `expected a whole number of ${what} from ${min} to ${max}`;
  return v.pipe(
    text,
    v.transform((value) => parseWhole(value, max) ?? Number.NaN),
    v.number(expected),
    v.minValue(min, expected),
  );
}

const no = () => false;
const yes = () => true;
const unset = () => undefined;

function adminFile(name: string) {
  return define<string | undefined>({
    section: "admin",
    name,
    schema: optionalText,
    defaultValue: unset,
    reload: "now",
  });
}

export const ADMIN_OPTIONS = {
  adminEnabled: define({
    section: "admin",
    name: "enabled",
    schema: truth,
    defaultValue: no,
    reload: "now",
  }),
  adminListen: define<string | undefined>({
    section: "admin",
    name: "listen",
    schema: listenAddress,
    defaultValue: unset,
    reload: "now",
  }),
  adminTokenFile: adminFile("token file"),
  adminTlsCertificate: adminFile("tls certificate"),
  adminTlsKey: adminFile("tls key"),
  adminTlsClientCa: adminFile("tls client ca"),
  adminActions: define({
    section: "admin",
    name: "actions",
    schema: truth,
    defaultValue: no,
    reload: "now",
  }),
  adminWebhooks: define<readonly string[]>({
    section: "admin",
    name: "webhooks",
    schema: urls,
    defaultValue: () => [],
    reload: "now",
  }),
  adminMetrics: define({
    section: "admin",
    name: "metrics",
    schema: truth,
    defaultValue: yes,
    reload: "now",
  }),
  journalDirectory: define({
    section: "journal",
    name: "directory",
    schema: text,
    defaultValue: (paths) => `${paths.variableDirectory}/journal`,
    reload: "now",
  }),
  journalKeepDays: define({
    section: "journal",
    name: "keep days",
    schema: whole("days", 1, KEEP_DAYS_MAX),
    defaultValue: () => 30,
    reload: "now",
  }),
  journalKeepMegabytes: define({
    section: "journal",
    name: "keep megabytes",
    schema: whole("megabytes", KEEP_MEGABYTES_MIN, KEEP_MEGABYTES_MAX),
    defaultValue: () => 512,
    reload: "now",
  }),
} as const;

/** One of those that ctdb-admind has to be started anew for. */
export function isOfAdmind(option: AnyOption): boolean {
  return (Object.values(ADMIN_OPTIONS) as readonly unknown[]).includes(option);
}

/** What is wrong with options that are each well-formed is added to `problems`. */
export function adminConfig(
  reader: OptionReader,
  files: FileSystem,
  problems: ProblemList,
): AdminConfig {
  const listen = reader.get(ADMIN_OPTIONS.adminListen);
  const config = {
    enabled: reader.get(ADMIN_OPTIONS.adminEnabled),
    listen: listen === undefined ? undefined : parseListen(listen),
    tokenFile: reader.get(ADMIN_OPTIONS.adminTokenFile),
    tlsCertificate: reader.get(ADMIN_OPTIONS.adminTlsCertificate),
    tlsKey: reader.get(ADMIN_OPTIONS.adminTlsKey),
    tlsClientCa: reader.get(ADMIN_OPTIONS.adminTlsClientCa),
    actions: reader.get(ADMIN_OPTIONS.adminActions),
    webhooks: reader.get(ADMIN_OPTIONS.adminWebhooks),
    metrics: reader.get(ADMIN_OPTIONS.adminMetrics),
  };
  checkTogether(config, problems);
  checkFiles(config, files, problems);
  return config;
}

export function journalConfig(reader: OptionReader): JournalConfig {
  return {
    directory: reader.get(ADMIN_OPTIONS.journalDirectory),
    keepDays: reader.get(ADMIN_OPTIONS.journalKeepDays),
    keepMegabytes: reader.get(ADMIN_OPTIONS.journalKeepMegabytes),
  };
}

function checkTogether(config: AdminConfig, problems: ProblemList): void {
  const { listen, tokenFile, tlsCertificate, tlsKey, tlsClientCa } = config;
  if (listen !== undefined && tokenFile === undefined && tlsClientCa === undefined) {
    const path = optionPath(ADMIN_OPTIONS.adminListen);
    problems.error(0, 'expected "token file" or "tls client ca" beside it', path);
  }
  if ((tlsCertificate === undefined) !== (tlsKey === undefined)) {
    const path = optionPath(ADMIN_OPTIONS.adminTlsCertificate);
    problems.error(0, 'expected both of "tls certificate" and "tls key", got one', path);
  }
  if (tlsClientCa !== undefined && tlsCertificate === undefined) {
    const path = optionPath(ADMIN_OPTIONS.adminTlsClientCa);
    problems.error(0, 'expected "tls certificate" and "tls key" beside it', path);
  }
}

/** Only a warning: a node starts without its ctdb-admind. */
function checkFiles(config: AdminConfig, files: FileSystem, problems: ProblemList): void {
  const named = [
    [ADMIN_OPTIONS.adminTokenFile, config.tokenFile],
    [ADMIN_OPTIONS.adminTlsCertificate, config.tlsCertificate],
    [ADMIN_OPTIONS.adminTlsKey, config.tlsKey],
    [ADMIN_OPTIONS.adminTlsClientCa, config.tlsClientCa],
  ] as const;
  for (const [option, path] of named) {
    if (path === undefined || files.exists(path)) continue;
    problems.warning(0, `expected a file that exists, got ${quoted(path)}`, optionPath(option));
  }
}

const PORT_MAX = 65_535;

function parseListen(value: string): ListenAddress | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(value);
  const host = parts?.[1] ?? parts?.[2] ?? "";
  const port = parseWhole(parts?.[3] ?? "", PORT_MAX);
  const address = parseAddress(host);
  if (!address.ok || port === undefined || port === 0) return undefined;
  return { address: address.value.address, port };
}
