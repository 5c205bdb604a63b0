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
import type { MigrationFacts } from "../tool_schemas.ts";
import { type Migration, migrate, type OldFile } from "./migration.ts";

/** In the order in which the old scripts read them. */
const OLD_FILES = ["/etc/sysconfig/ctdb", "/etc/default/ctdb"];
const FAILED = 1;

/** `given`: the old file, where it is none of the usual ones. The result is the exit status. */
export function migrateCommand(
  host: ConfigToolHost,
  dryRun: boolean,
  given: string | undefined,
): number {
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
  const files: FileFacts[] = [];
  for (const [name, text] of newFiles(migration)) {
    if (text === "") continue;
    const file = `${host.paths.etcDirectory}/${name}`;
    const facts = dryRun ? ok({ written: null, differs: null }) : writeNew(host, file, text);
    if (!facts.ok) {
      host.err(`${facts.error}\n`);
      return FAILED;
    }
    files.push({ file, ...facts.value, text });
    host.out(
      dryRun ? `Would write into "${file}":\n${text}` : `${writtenText(file, facts.value)}\n`,
    );
  }
  host.facts?.({
    dry_run: dryRun,
    read: old.value.map(({ path }) => path),
    not_taken_over: [...migration.notes],
    scripts: [...migration.scripts],
    files,
  });
  return 0;
}

type FileFacts = MigrationFacts["files"][number];
/** What was done. */
type Written = Omit<FileFacts, "file" | "text">;

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

function writeNew({ files }: ConfigToolHost, path: string, text: string): Result<Written> {
  const there = files.readText(path);
  if (there.ok && there.value === text) return ok({ written: null, differs: false });
  if (!there.ok && there.error.code !== "ENOENT") return err(there.error.message);
  const differs = there.ok;
  const target = differs ? besideOf(path) : path;
  const before = differs ? files.readText(target) : there;
  if (before.ok && before.value === text) return ok({ written: null, differs });
  const partial = `${path}.migrating`;
  const written = files.writeText(partial, text);
  const renamed = written.ok ? files.rename(partial, target) : written;
  if (!renamed.ok) {
    files.remove(partial);
    return err(`Cannot write ${quoted(target)}: ${renamed.error.code}`);
  }
  return ok({ written: target, differs });
}

/** Where the new text is while another stays. */
function besideOf(path: string): string {
  return `${path}.new`;
}

function writtenText(path: string, { written, differs }: Written): string {
  if (differs !== true) {
    return written === null ? `${quoted(path)} says it already` : `Wrote ${quoted(written)}`;
  }
  const beside =
    written === null ? `${quoted(besideOf(path))} is there already` : `wrote ${quoted(written)}`;
  return `${quoted(path)} says something else and stays; ${beside}`;
}
