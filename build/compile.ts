/**
 * One executable from src/main.ts, and a hard link for each role: /proc/PID/exe must show the role's name.
 * Does nothing when the executable is newer than every source; `--force` compiles anyway. Several may run
 * at once: each makes a file of its own and renames it.
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { join, normalize } from "node:path";
import { ROLES } from "../src/roles/table.ts";
import { compileExecutable } from "./executable.ts";
import { scriptPrograms } from "./script_programs.ts";

const PROJECT = normalize(join(import.meta.dir, ".."));
const DIST = join(PROJECT, "dist");
const EXECUTABLE = join(DIST, "ctdb-appliance");

function newestSource(): number {
  const names = readdirSync(join(PROJECT, "src"), { recursive: true }) as string[];
  const sources = names.filter(
    (name) => /\.(ts|css|html|svg)$/.test(name) && !name.endsWith(".test.ts"),
  );
  const inputs = [
    ...sources.map((name) => join(PROJECT, "src", name)),
    ...carriedFiles(),
    import.meta.path,
    join(import.meta.dir, "executable.ts"),
    join(PROJECT, "package-lock.json"),
  ];
  return Math.max(...inputs.map((path) => statSync(path).mtimeMs));
}

/** The executable carries them. */
function carriedFiles(): readonly string[] {
  return ["scripts", "systemd"].flatMap((folder) => {
    const names = readdirSync(join(PROJECT, folder), { recursive: true }) as string[];
    return names.map((name) => join(PROJECT, folder, name));
  });
}

function isCurrent(): boolean {
  const executable = statSync(EXECUTABLE, { throwIfNoEntry: false });
  if (executable === undefined || newestSource() > executable.mtimeMs) return false;
  return ROLES.every((role) => {
    const link = statSync(join(DIST, role.name), { throwIfNoEntry: false });
    return link?.ino === executable.ino;
  });
}

async function compile(): Promise<void> {
  mkdirSync(DIST, { recursive: true });
  const started = new Date();
  // The file's name gets into it: the same sources are to give the same bytes.
  const directory = join(DIST, `.compiling-${process.pid}`);
  mkdirSync(directory);
  const temporary = join(directory, "ctdb-appliance");
  await compileExecutable(join(PROJECT, "node_modules/.bin/bun"), PROJECT, temporary);
  // A source that changed while the bundler ran must look newer.
  utimesSync(temporary, started, started);
  // The executable gets its name last, so that whoever finds it current finds every link.
  for (const { name } of ROLES) replaceLink(temporary, join(DIST, name));
  renameSync(temporary, EXECUTABLE);
  rmdirSync(directory);
}

/** A link appears or changes in one step: a running start of the role never finds it missing. */
function replaceLink(target: string, link: string): void {
  const temporary = `${link}.${process.pid}`;
  rmSync(temporary, { force: true });
  linkSync(target, temporary);
  renameSync(temporary, link);
}

/** The programs that are scripts lie beside those that are roles. */
function copyScripts(): number {
  const scripts = scriptPrograms(PROJECT);
  for (const [name, path] of scripts) {
    const temporary = join(DIST, `.copying-${name}-${process.pid}`);
    copyFileSync(path, temporary);
    renameSync(temporary, join(DIST, name));
  }
  return scripts.length;
}

if (process.argv.includes("--force") || !isCurrent()) await compile();
const scripts = copyScripts();
if (!existsSync(EXECUTABLE)) throw new Error(`expected "${EXECUTABLE}" to exist`);
console.log(`${EXECUTABLE}: ${ROLES.length} roles, ${scripts} scripts`);
