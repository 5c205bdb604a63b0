/**
 * `ctdb-config migrate [--dry-run] [FILE]`: writes what migration.ts makes, and says what became of everything.
 *
 * 1. A file that is there and says something else stays: what would have been written is FILE.new beside it.
 * 2. What is wrong in the old files keeps anything from being written.
 * 3. A second run changes nothing.
 */
import { EINVAL, ENOENT } from "../../base/errno.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { problemText, quoted } from "../problems.ts";
import { readConfigFile } from "../read_file.ts";
import type { ConfigToolHost } from "../tool_host.ts";
import { type Migration, migrate, type OldFile } from "./migration.ts";

/** In the order in which the old scripts read them. */
const OLD_FILES = ["/etc/sysconfig/ctdb", "/etc/default/ctdb"];
const FAILED = 1;
const DRY_RUN = "--dry-run";

/** Undefined for arguments that are none of the command's. */
export function migrateCommand(host: ConfigToolHost, args: readonly string[]): number | undefined {
  const dryRun = args[0] === DRY_RUN;
  const operands = dryRun ? args.slice(1) : args;
  if (operands.length > 1 || operands.some((word) => word.startsWith("-"))) return undefined;
  const [given] = operands;
  const old = readOldFiles(host, given);
  if (!old.ok) return old.error;
  for (const { path } of old.value) host.out(`Read ${quoted(path)}\n`);
  const migration = migrate(old.value, host);
  if (migration.problems.length > 0) {
    for (const problem of migration.problems) host.err(`${problemText(problem)}\n`);
    host.err("Nothing is written: correct the old configuration first\n");
    return EINVAL;
  }
  tellNotes(host, migration);
  for (const [name, text] of newFiles(migration)) {
    if (text === "") continue;
    if (dryRun) {
      host.out(`Would write into "${host.paths.etcDirectory}/${name}":\n${text}`);
      continue;
    }
    const written = writeNew(host, `${host.paths.etcDirectory}/${name}`, text);
    if (!written.ok) {
      host.err(`${written.error}\n`);
      return FAILED;
    }
    host.out(`${written.value}\n`);
  }
  return 0;
}

function newFiles(migration: Migration): readonly (readonly [name: string, text: string])[] {
  return [
    ["ctdb.conf", migration.ctdbConf],
    ["ctdb.tunables", migration.tunables],
    ["script.options", migration.scriptOptions],
  ];
}

/** The error is the exit status; why is said already. */
function readOldFiles(
  host: ConfigToolHost,
  given: string | undefined,
): Result<readonly OldFile[], number> {
  const own = `${host.paths.etcDirectory}/ctdbd.conf`;
  const usual = host.paths.testMode ? [own] : [...OLD_FILES, own];
  const old: OldFile[] = [];
  for (const path of given === undefined ? usual : [given]) {
    const text = readConfigFile(host.files, path);
    if (!text.ok) {
      for (const problem of text.error) host.err(`${problemText(problem)}\n`);
      return err(EINVAL);
    }
    if (text.value !== undefined) old.push({ path, text: text.value });
  }
  if (old.length > 0) return ok(old);
  const names = (given === undefined ? usual : [given]).map(quoted).join(" or ");
  host.err(`Cannot find an old configuration: expected ${names}\n`);
  return err(ENOENT);
}

function tellNotes(host: ConfigToolHost, { notes, scripts }: Migration): void {
  if (notes.length > 0) host.out("Not taken over:\n");
  for (const note of notes) host.out(`  ${note}\n`);
  if (scripts.length > 0) host.out("Enable these event scripts:\n");
  for (const script of scripts) host.out(`  ctdb event script enable legacy ${script}\n`);
}

/** What was done. */
function writeNew({ files }: ConfigToolHost, path: string, text: string): Result<string> {
  const there = files.readText(path);
  if (there.ok && there.value === text) return ok(`${quoted(path)} says it already`);
  if (!there.ok && there.error.code !== "ENOENT") return err(there.error.message);
  const target = there.ok ? `${path}.new` : path;
  const before = there.ok ? files.readText(target) : there;
  if (before.ok && before.value === text) {
    return ok(`${quoted(path)} says something else and stays; ${quoted(target)} is there already`);
  }
  const partial = `${path}.migrating`;
  const written = files.writeText(partial, text);
  const renamed = written.ok ? files.rename(partial, target) : written;
  if (!renamed.ok) {
    files.remove(partial);
    return err(`Cannot write ${quoted(target)}: ${renamed.error.code}`);
  }
  const stays = there.ok ? `${quoted(path)} says something else and stays; ` : "";
  return ok(`${stays}${stays === "" ? "Wrote" : "wrote"} ${quoted(target)}`);
}
