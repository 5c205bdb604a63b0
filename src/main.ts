/**
 * The executable's name decides its role; as `ctdb-appliance` its first argument does.
 * An exception that nobody caught is a bug of ours: it is told in one line and ends the process.
 * Nothing else happens here.
 */
import { writeSync } from "node:fs";
import { basename } from "node:path";
import { CRASH_STATUS, uncaughtText } from "./roles/crash.ts";
import { VERSION } from "./roles/role.ts";
import { ROLES, type RoleEntry, roleList } from "./roles/table.ts";

const APPLIANCE = "ctdb-appliance";
const UNKNOWN_ROLE_STATUS = 2;
/** Where the sources lie in the compiled executable. */
const EMBEDDED = "/$bunfs/";

const USAGE = `Usage: ${APPLIANCE} ROLE [ARGUMENTS]
   or: ROLE [ARGUMENTS], where ROLE is a link to ${APPLIANCE}

Roles:
${roleList()}
Options:
  --help     this text; "ROLE --help" describes a role
  --version  the release
`;

/** process.stdout costs 8 ms to make and may still hold text when the process ends. */
function say(descriptor: 1 | 2, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // Nobody listens.
  }
}

/** For roles without a log; the log of the others comes first (role_log.ts). */
function endOnUncaught(name: string): void {
  const end = (error: unknown) => {
    say(2, `${name}: ${uncaughtText(error)}\n`);
    process.exit(CRASH_STATUS);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const ownName = basename(process.argv0);
  const own = roleNamed(ownName);
  if (own !== undefined) return await runRole(own, args);
  const [first, ...rest] = args;
  if (first === "--help" || first === "-?") {
    say(1, USAGE);
    return 0;
  }
  if (first === "--version") {
    say(1, `${APPLIANCE} ${VERSION}\n`);
    return 0;
  }
  const named = first === undefined ? undefined : roleNamed(first);
  if (named !== undefined) return await runRole(named, rest);
  // From a checkout the runtime's own name is no attempt at a role.
  const isLink = ownName !== APPLIANCE && import.meta.path.startsWith(EMBEDDED);
  if (first === undefined && !isLink) {
    say(2, USAGE);
    return UNKNOWN_ROLE_STATUS;
  }
  say(2, `Unknown role "${isLink ? ownName : first}": expected one of\n${roleList()}`);
  return UNKNOWN_ROLE_STATUS;
}

function roleNamed(name: string): RoleEntry | undefined {
  return ROLES.find((role) => role.name === name);
}

async function runRole(entry: RoleEntry, args: readonly string[]): Promise<number> {
  endOnUncaught(entry.name);
  if (args.length === 1 && args[0] === "--version") {
    say(1, `${entry.name} ${VERSION}\n`);
    return 0;
  }
  const { role } = await entry.load();
  return await role.run(args);
}

main().then((status) => {
  process.exitCode = status;
});
