/**
 * What this process was started with, as the bytes that it was given, and what starts another like it. The
 * runtime's own `process.argv`, `process.env` and `process.execPath` replace or leave out what is no UTF-8; the
 * kernel still has it (base/byte_text.ts says how it is text), and is asked where something may be lost: reading
 * files takes longer than a short command.
 */
import { checkoutCommand, lostVariable } from "#program";
import { bytesText, isUtf8 } from "../base/byte_text.ts";
import { installedLayout, LAYOUTS, programDirectories } from "../config/layouts.ts";
import { nodeFs, pathForCall, realPath } from "../platform/node/path.ts";

/** What the runtime puts where it lost bytes. */
const LOST = "\ufffd";

/** The arguments behind the program, and behind the script when a runtime runs one. */
export function ownArguments(): readonly string[] {
  const given = process.argv.slice(2);
  if (!given.some((word) => word.includes(LOST))) return given;
  // All that the runtime takes for itself stands in front.
  return kernelStrings("/proc/self/cmdline").slice(-given.length);
}

export function ownEnvironment(): Readonly<Record<string, string | undefined>> {
  const shown = lostVariable === "replaced";
  if (shown && !Object.values(process.env).some((value) => value?.includes(LOST))) {
    return process.env;
  }
  const environment = { ...process.env };
  for (const entry of kernelStrings("/proc/self/environ")) {
    const equals = entry.indexOf("=");
    const value = entry.slice(equals + 1);
    if (!isUtf8(value)) environment[entry.slice(0, equals)] = value;
  }
  return environment;
}

export interface OwnExecutable {
  readonly path: string;
  readonly directory: string;
  readonly name: string;
}

/** The file that runs: the runtime from a checkout. */
export function ownExecutable(): OwnExecutable {
  const given = process.execPath;
  const path = given.includes(LOST) ? realPath("/proc/self/exe") : given;
  // Not by node:path, which replaces bytes too.
  const slash = path.lastIndexOf("/");
  const directory = installedDirectory(path.slice(0, slash) || "/");
  return { path, directory, name: path.slice(slash + 1) };
}

/** As layouts name it: the kernel has followed links, and /usr/local may be one. */
function installedDirectory(directory: string): string {
  if (installedLayout(directory) !== undefined) return directory;
  const named = programDirectories(LAYOUTS.upstream).find((path) => linkedTo(path) === directory);
  return named ?? directory;
}

function linkedTo(path: string): string | undefined {
  try {
    return realPath(path);
  } catch {
    return undefined;
  }
}

/** What runs a role of this installation, from the executable that runs now. */
export function selfCommand(role: string, args: readonly string[]): [string, ...string[]] {
  const { path, directory, name } = ownExecutable();
  if (ownImageIsReplaced()) return [runningImage(), role, ...args];
  if (name === role) return [path, ...args];
  // From a checkout a runtime runs main.ts.
  if (/^(bun|deno)/.test(name)) return [...checkoutCommand(path), role, ...args];
  const sibling = `${directory}/${role}`;
  // One executable holds every role, and takes a role as its first argument.
  return nodeFs().existsSync(pathForCall(sibling)) ? [sibling, ...args] : [path, role, ...args];
}

/** The executable that runs here, whatever has become of its names since. Not "self": a shell may come between. */
export function runningImage(): string {
  return `/proc/${process.pid}/exe`;
}

/** Is the path a name of the executable that runs here? */
export function isOwnImage(path: string): boolean {
  const found = nodeFs().statSync(pathForCall(path), { throwIfNoEntry: false });
  if (found === undefined) return false;
  const own = nodeFs().statSync("/proc/self/exe");
  return found.ino === own.ino && found.dev === own.dev;
}

/** Its name was taken away, or is another file's now. */
export function ownImageIsReplaced(): boolean {
  return !isOwnImage(ownExecutable().path);
}

/** A process that was started from a running image is named by its role, as others are: for ps and killall. */
export function nameAfterRole(role: string): void {
  if (!process.argv0.startsWith("/proc/")) return;
  try {
    nodeFs().writeFileSync("/proc/self/comm", role);
  } catch {
    // It is called "exe" then.
  }
}

/** Each ends with a NUL. */
function kernelStrings(path: string): readonly string[] {
  return bytesText(nodeFs().readFileSync(path)).split("\0").slice(0, -1);
}
