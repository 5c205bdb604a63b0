/**
 * ctdb-appliance ca: the certificate authority of a cluster whose node links are TLS (docs/tls.md).
 */
import { parseArgs } from "node:util";
import { Authority, dayText } from "../authority/authority.ts";
import { parseWhole } from "../base/c_number.ts";
import { err, ok, type Result } from "../base/result.ts";
import { resolvePaths } from "../config/paths.ts";
import { SystemClock } from "../platform/node/clock.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { systemKeys } from "../platform/node/keys.ts";
import { runtimeTls } from "../platform/node/tls_engine.ts";
import { DAY_MS } from "../transport/tls/limits.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import type { Role } from "./role.ts";

const NAME = "ctdb-appliance ca";
const USAGE_STATUS = 2;
const DAYS_MAX = 36_500;
const AUTHORITY_DAYS = 3650;
const NODE_DAYS = 365;
const ENDING_DAYS = 30;

const AUTHORITY_HELP = `Usage: ${NAME} COMMAND [OPTIONS]
The certificate authority of a cluster with "transport = tls".

  init               makes an authority
  node ADDRESS...    a key and a certificate for each node address, below nodes/ADDRESS
  renew [ADDRESS...] new ones; without an address for those that end within ${ENDING_DAYS} days
  list               all certificates, and how long they are valid
  revoke ADDRESS     takes all certificates of an address back; or one, by its serial
                     number
  rotate             a new authority signs from now on, the old one is trusted too
  retire             the old one is not trusted any more

  --directory DIR    where the authority is (tls-ca in the directory of ctdb.conf)
  --days N           how long a certificate is valid: ${NODE_DAYS}, of an authority ${AUTHORITY_DAYS}
  --help             this text

Copy nodes/ADDRESS to the "tls directory" of that node. Keep ca.key away from nodes.
`;

interface Options {
  readonly authority: Authority;
  readonly directory: string;
  readonly days: number | undefined;
}

type Command = (args: readonly string[], options: Options) => Result<string>;

const COMMANDS: Readonly<Record<string, Command>> = {
  init: (args, { authority, days, directory }) =>
    none(args) ?? said(authority.init(days ?? AUTHORITY_DAYS), `made in ${directory}`),
  node: (args, options) =>
    args.length === 0 ? err("node: expected an address") : issue(args, options),
  renew,
  list: (args, { authority }) => none(args) ?? list(authority),
  revoke: ([one, ...more], { authority }) => {
    if (one === undefined || more.length > 0) return err("revoke: expected one address or serial");
    const revoked = authority.revoke(one);
    return revoked.ok ? ok(`revoked ${revoked.value.join(", ")}\n${COPY_ALL}`) : revoked;
  },
  rotate: (args, { authority, days }) =>
    none(args) ??
    said(authority.rotate(days ?? AUTHORITY_DAYS), `a new authority signs; ${COPY_ALL}`),
  retire: (args, { authority }) =>
    none(args) ?? said(authority.retire(), `one authority is trusted; ${COPY_ALL}`),
};

const COPY_ALL = "copy ca.crt and revoked of nodes/ADDRESS to each node";

export const authorityTool: Role = {
  async run(args) {
    const parsed = parsedArguments(args);
    if (!parsed.ok) return usage(parsed.error);
    const { values, positionals } = parsed.value;
    if (values.help) {
      printOut(AUTHORITY_HELP);
      return 0;
    }
    const [name = "", ...rest] = positionals;
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) {
      return usage(name === "" ? "expected a command" : `there is no command "${name}"`);
    }
    const days = values.days === undefined ? undefined : parseWhole(values.days, DAYS_MAX);
    if (values.days !== undefined && (days === undefined || days === 0)) {
      return usage(`--days: expected a whole number from 1 to ${DAYS_MAX}, got "${values.days}"`);
    }
    const directory = values.directory ?? defaultDirectory();
    const authority = new Authority({
      files: new SystemFiles(),
      keys: systemKeys,
      certificates: runtimeTls.certificates,
      clock: new SystemClock(),
      directory,
    });
    const outcome = command(rest, { authority, directory, days });
    if (outcome.ok) {
      printOut(outcome.value);
      return 0;
    }
    printErr(`${NAME}: ${outcome.error}\n`);
    return 1;
  },
};

function parsedArguments(args: readonly string[]) {
  try {
    return ok(
      parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          directory: { type: "string" },
          days: { type: "string" },
          help: { type: "boolean", default: false },
        },
      }),
    );
  } catch (error) {
    return err((error as Error).message);
  }
}

function usage(reason: string): number {
  printErr(`${NAME}: ${reason}\n${AUTHORITY_HELP}`);
  return USAGE_STATUS;
}

function defaultDirectory(): string {
  const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
  return `${paths.ok ? paths.value.etcDirectory : "/etc/ctdb"}/tls-ca`;
}

function none(args: readonly string[]): Result<string> | undefined {
  return args.length === 0 ? undefined : err(`expected nothing more, got "${args.join(" ")}"`);
}

function said(outcome: Result<unknown>, text: string): Result<string> {
  return outcome.ok ? ok(`${text}\n`) : outcome;
}

function issue(addresses: readonly string[], { authority, days }: Options): Result<string> {
  const made = authority.issue(addresses, days ?? NODE_DAYS);
  if (!made.ok) return made;
  const lines = made.value.map(
    (one) => `nodes/${one.addresses.join()}: ${one.serial} until ${dayText(one.notAfterMs)}\n`,
  );
  return ok(lines.join(""));
}

function renew(args: readonly string[], options: Options): Result<string> {
  if (args.length > 0) return issue(args, options);
  const ending = options.authority.endingWithin(ENDING_DAYS);
  if (!ending.ok) return ending;
  if (ending.value.length === 0) return ok(`nothing ends within ${ENDING_DAYS} days\n`);
  return issue(ending.value, options);
}

function list(authority: Authority): Result<string> {
  const authorities = authority.authorities();
  if (!authorities.ok) return authorities;
  const listed = authority.list();
  if (!listed.ok) return listed;
  const nowMs = Date.now();
  const line = (what: string, serial: string, untilMs: number, state: string): string => {
    const days = Math.floor((untilMs - nowMs) / DAY_MS);
    const left = days < 0 ? "ended" : `${days} days`;
    return `${what.padEnd(24)} ${serial.padEnd(32)} ${dayText(untilMs)} ${left.padStart(10)} ${state}\n`;
  };
  const signing = authorities.value.map((one, index) =>
    line("authority", one.serial, one.notAfterMs, index === 0 ? "signs" : "trusted"),
  );
  const nodes = listed.value.map((one) =>
    line(one.address, one.serial, one.untilMs, stateOf(one.isRevoked, one.isCurrent)),
  );
  return ok([...signing, ...nodes].join(""));
}

function stateOf(isRevoked: boolean, isCurrent: boolean): string {
  if (isRevoked) return "revoked";
  return isCurrent ? "current" : "replaced";
}
