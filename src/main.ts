/**
 * The executable's name decides its role; as `ctdb-appliance` its first argument does.
 * An exception that nobody caught is a bug of ours: it is told in one line and ends the process. Output
 * that cannot be written is none, and ends it too.
 * Nothing else happens here.
 */
import { compileAsUsual, hideFromChildren } from "#program";
import { printErr, printOut } from "./roles/buffered_output.ts";
import { endingOf } from "./roles/crash.ts";
import { nameAfterRole, ownArguments } from "./roles/own_process.ts";
import { VERSION } from "./roles/role.ts";
import { APPLETS, ROLES, type RoleEntry, roleList, STAND_INS } from "./roles/table.ts";

const APPLIANCE = "ctdb-appliance";
const UNKNOWN_ROLE_STATUS = 2;
/** Where the sources lie in the compiled executable. */
const EMBEDDED = "/$bunfs/";

const usage = () => `Usage: ${APPLIANCE} COMMAND [ARGUMENTS]
   or: ${APPLIANCE} ROLE [ARGUMENTS]
   or: ROLE [ARGUMENTS], where ROLE is a link to ${APPLIANCE}

Commands:
${roleList(APPLETS)}
Roles:
${roleList()}
In place of programs that are not installed:
${roleList(STAND_INS)}
Options:
  --list     the names of the roles
  --help     this text; "ROLE --help" describes a role
  --version  the release
`;

/** For roles without a log; the log of the others comes first (role_log.ts). */
function endOnUncaught(name: string): void {
  const end = (error: unknown) => {
    const { line, status } = endingOf(error);
    if (line !== undefined) printErr(`${name}: ${line}\n`);
    process.exit(status);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

async function main(): Promise<number> {
  hideFromChildren();
  const args = ownArguments();
  const ownName = process.argv0.slice(process.argv0.lastIndexOf("/") + 1);
  const own = roleNamed(ownName);
  const [first, ...rest] = args;
  const named = first === undefined ? undefined : roleNamed(first);
  endOnUncaught((own ?? named)?.name ?? APPLIANCE);
  if (own !== undefined) return await runRole(own, args);
  if (named !== undefined) return await runRole(named, rest);
  const applet = APPLETS.find(({ name }) => name === first);
  if (applet !== undefined) return await runRole(applet, rest);
  if (first === "--list") {
    printOut(`${namesOf(ROLES).join("\n")}\n`);
    return 0;
  }
  if (first === "--help" || first === "-?") {
    printOut(usage());
    return 0;
  }
  if (first === "--version") {
    printOut(`${APPLIANCE} ${VERSION}\n`);
    return 0;
  }
  // From a checkout the runtime's own name is no attempt at a role.
  const isLink = ownName !== APPLIANCE && import.meta.url.includes(EMBEDDED);
  if (first === undefined && !isLink) {
    printErr(usage());
    return UNKNOWN_ROLE_STATUS;
  }
  const wanted = isLink ? ownName : (first ?? "");
  const { didYouMean } = await import("./base/suggestion.ts");
  const near = didYouMean(wanted, namesOf([...APPLETS, ...ROLES]));
  printErr(`Unknown role "${wanted}"${near}: expected one of\n${roleList()}`);
  return UNKNOWN_ROLE_STATUS;
}

function namesOf(entries: readonly RoleEntry[]): readonly string[] {
  return entries.map(({ name }) => name);
}

function roleNamed(name: string): RoleEntry | undefined {
  return [...ROLES, ...STAND_INS].find((role) => role.name === name || role.formerName === name);
}

async function runRole(entry: RoleEntry, args: readonly string[]): Promise<number> {
  if (args.length === 1 && args[0] === "--version") {
    printOut(`${entry.name} ${VERSION}\n`);
    return 0;
  }
  nameAfterRole(entry.name);
  if (entry.brief !== true) compileAsUsual();
  const { role } = await entry.load();
  return await role.run(args);
}

main().then((status) => {
  process.exitCode = status;
});
