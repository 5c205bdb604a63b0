/**
 * One executable from src/main.ts, and a hard link for each role: /proc/PID/exe must show the role's name.
 * Does nothing when the executable is newer than every source; `--force` compiles anyway.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join, normalize } from "node:path";
import { ROLES } from "../src/roles/table.ts";

const PROJECT = normalize(join(import.meta.dir, ".."));
const DIST = join(PROJECT, "dist");
const EXECUTABLE = join(DIST, "ctdb-appliance");
/** A worker is in the executable only when it is an entry point of its own. */
const ENTRY_POINTS = ["src/main.ts", "src/platform/bun/lock_worker.ts"];

function newestSource(): number {
  const names = readdirSync(join(PROJECT, "src"), { recursive: true }) as string[];
  const sources = names
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(PROJECT, "src", name));
  const inputs = [...sources, import.meta.path, join(PROJECT, "package-lock.json")];
  return Math.max(...inputs.map((path) => statSync(path).mtimeMs));
}

function isCurrent(): boolean {
  if (!existsSync(EXECUTABLE)) return false;
  const linked = ROLES.every((role) => existsSync(join(DIST, role.name)));
  return linked && newestSource() <= statSync(EXECUTABLE).mtimeMs;
}

async function compile(): Promise<void> {
  mkdirSync(DIST, { recursive: true });
  const temporary = join(DIST, `.compiling-${process.pid}`);
  const command = [
    join(PROJECT, "node_modules/.bin/bun"),
    "build",
    "--compile",
    "--minify-syntax",
    "--minify-whitespace",
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    ...ENTRY_POINTS,
    "--outfile",
    temporary,
  ];
  const child = Bun.spawn(command, { cwd: PROJECT, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) {
    rmSync(temporary, { force: true });
    throw new Error(`bun build failed:\n${stdout}${stderr}`);
  }
  renameSync(temporary, EXECUTABLE);
  for (const { name } of ROLES) {
    const link = join(DIST, name);
    rmSync(link, { force: true });
    linkSync(EXECUTABLE, link);
  }
}

if (process.argv.includes("--force") || !isCurrent()) await compile();
console.log(`${EXECUTABLE}: ${ROLES.length} roles`);
