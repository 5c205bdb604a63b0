/** The compiled executables for tests: compiled once, and again only when a source is newer. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { PROJECT } from "./source_tree.ts";

export const DIST = join(PROJECT, "dist");
/** With the installation of the tools on a fresh clone. */
const COMPILE_TIMEOUT_MS = 300_000;
const EXECUTABLE = join(DIST, "ctdb-appliance");

let compiled: Promise<string> | undefined;

/** The directory with our executables, up to date. Throws with the compiler's words when it fails. */
export function compiledExecutables(): Promise<string> {
  compiled ??= compileWhenOld();
  return compiled;
}

async function compileWhenOld(): Promise<string> {
  if (existsSync(EXECUTABLE) && newestSource() <= statSync(EXECUTABLE).mtimeMs) return DIST;
  const { code, stdout, stderr } = await runCommand([join(PROJECT, "build/compile")], {
    timeoutMs: COMPILE_TIMEOUT_MS,
  });
  if (code !== 0) throw new Error(`build/compile failed:\n${stdout}${stderr}`);
  return DIST;
}

/** Scripts and the unit are in the executable, too. */
function newestSource(): number {
  const times = ["src", "scripts", "systemd"].flatMap((folder) => {
    const root = join(PROJECT, folder);
    const names = readdirSync(root, { recursive: true }) as string[];
    return names
      .filter((name) => !name.endsWith(".test.ts"))
      .map((name) => statSync(join(root, name)))
      .filter((stat) => stat.isFile())
      .map((stat) => stat.mtimeMs);
  });
  return Math.max(...times);
}
