/**
 * The executable's name decides its role; as `ctdb-appliance` its first argument does.
 * Nothing else happens here.
 */
import { basename } from "node:path";
import { VERSION } from "./roles/role.ts";
import { ROLES, roleList } from "./roles/table.ts";

const APPLIANCE = "ctdb-appliance";

const USAGE = `Usage: ${APPLIANCE} ROLE [ARGUMENTS]
   or: ROLE [ARGUMENTS], where ROLE is a link to ${APPLIANCE}

Roles:
${roleList()}
Options:
  --help     this text; "ROLE --help" describes a role
  --version  the release
`;

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const ownName = basename(process.argv0);
  const named = ROLES.find((role) => role.name === ownName);
  if (named !== undefined) return await runRole(named.name, args);
  const [first, ...rest] = args;
  if (first === "--help" || first === "-?" || first === undefined) {
    process.stdout.write(USAGE);
    return first === undefined ? 2 : 0;
  }
  if (first === "--version") {
    process.stdout.write(`${APPLIANCE} ${VERSION}\n`);
    return 0;
  }
  return await runRole(first, rest);
}

async function runRole(name: string, args: readonly string[]): Promise<number> {
  const entry = ROLES.find((role) => role.name === name);
  if (entry === undefined) {
    process.stderr.write(`Unknown role "${name}": expected one of\n${roleList()}`);
    return 2;
  }
  if (args[0] === "--version" && args.length === 1 && name !== "ctdb") {
    process.stdout.write(`${name} ${VERSION}\n`);
    return 0;
  }
  const { role } = await entry.load();
  return await role.run(args);
}

process.exitCode = await main();
