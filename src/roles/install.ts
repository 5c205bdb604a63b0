/**
 * ctdb-appliance install, uninstall: puts this executable under the names of its roles where Debian's package `ctdb`
 * has its programs, or Samba's own build, with the scripts that it carries (docs/operations.md, "Installation").
 */
import { parseArgs } from "node:util";
import { err, ok, type Result } from "../base/result.ts";
import { type InstalledPaths, LAYOUTS, type LayoutName } from "../config/layouts.ts";
import { applyInstall } from "../install/apply.ts";
import { DPKG_STATUS, manifestOf } from "../install/layout.ts";
import { type Manifest, parseManifest } from "../install/manifest.ts";
import { hasOwnPackage, packagedDigests } from "../install/packaged.ts";
import { shippedParts, shippedScripts } from "../install/payload.macro.ts" with { type: "macro" };
import { type InstallPlan, planInstall } from "../install/plan.ts";
import { uninstall } from "../install/uninstall.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { RootedFiles } from "./install_files.ts";
import { ownExecutable } from "./own_process.ts";
import { releaseLayout } from "./release_layout.ts";
import { type Role, VERSION } from "./role.ts";

const NAME = "ctdb-appliance";
const USAGE_STATUS = 2;
const INSTALL_HELP = `Usage: ${NAME} install --root DIR [OPTIONS]
Installs this release below DIR: over another CTDB, over an earlier release, or where
there is none.

  --root DIR                / for this machine
  --layout debian|upstream  the paths of Debian's package "ctdb" (debian), or those of
                            Samba's own build, all below /usr/local
  --links hard|symlink      names of roles (hard); with symlinks processes show one name
  --dry-run                 says what would be done
  --help                    this text

Configuration that was changed here is never lost: scripts that must be ours are set
aside under another name, which is printed. "${NAME} uninstall" brings back what was
replaced.
`;
const UNINSTALL_HELP = `Usage: ${NAME} uninstall --root DIR
Takes away what "${NAME} install" has installed below DIR, and brings back what it has
replaced, in whichever layout. What was changed since stays, and is named.

  --root DIR  / for this machine
  --help      this text
`;

export const install: Role = { run: async (args) => await withOptions(args, INSTALL_HELP, run) };
export const remove: Role = {
  run: async (args) => await withOptions(args, UNINSTALL_HELP, runUninstall),
};

interface Options {
  readonly root: string;
  readonly layout: InstalledPaths;
  readonly links: "hard" | "symlink";
  readonly dryRun: boolean;
}

async function withOptions(
  args: readonly string[],
  help: string,
  act: (files: RootedFiles, options: Options) => Result<void>,
): Promise<number> {
  const usage = (reason: string): number => {
    printErr(`${NAME}: ${reason}\n${help}`);
    return USAGE_STATUS;
  };
  const read = parsed(args);
  if (typeof read === "string") return usage(read);
  if (read.help) {
    printOut(help);
    return 0;
  }
  const { root, links, layout: name, "dry-run": dryRun } = read;
  if (root === undefined) return usage("expected --root DIR");
  if (!root.startsWith("/")) return usage(`--root: expected an absolute path, got "${root}"`);
  if (links !== "hard" && links !== "symlink") {
    return usage(`--links: expected hard or symlink, got "${links}"`);
  }
  const layout = Object.hasOwn(LAYOUTS, name) ? LAYOUTS[name as LayoutName] : undefined;
  if (layout === undefined) {
    return usage(`--layout: expected ${Object.keys(LAYOUTS).join(" or ")}, got "${name}"`);
  }
  const executable = ownExecutable();
  if (/^(bun|deno|node)/.test(executable.name)) {
    printErr(`${NAME}: expected the compiled executable, this is "${executable.path}"\n`);
    return 1;
  }
  const files = new RootedFiles(root.replace(/\/+$/, ""), executable.path);
  const outcome = rootIsThere(files, root, () => act(files, { root, layout, links, dryRun }));
  if (outcome.ok) return 0;
  printErr(`${NAME}: ${outcome.error}\n`);
  return 1;
}

/** A name that is mistyped gets no tree of its own. */
function rootIsThere(files: RootedFiles, root: string, act: () => Result<void>): Result<void> {
  const found = files.look("/");
  if (!found.ok) return found;
  return found.value === undefined ? err(`--root: there is no directory "${root}"`) : act();
}

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        root: { type: "string" },
        layout: { type: "string", default: LAYOUTS.debian.name },
        links: { type: "string", default: "hard" },
        "dry-run": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    return (error as Error).message;
  }
}

function run(files: RootedFiles, { layout: paths, links, dryRun }: Options): Result<void> {
  const previous = readManifest(files, paths);
  if (!previous.ok) return previous;
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const layout = releaseLayout(paths, shippedScripts(), shippedParts(), architecture);
  const status = files.readText(DPKG_STATUS);
  const known = status.ok ? status.value : "";
  if (hasOwnPackage(known)) {
    return err(`dpkg has installed the package "${NAME}" here: upgrade or remove that`);
  }
  const packaged = packagedDigests(known);
  const plan = planInstall({ files, layout, links, previous: previous.value, packaged });
  if (!plan.ok) return plan;
  if (dryRun) {
    printOut(planText(plan.value));
    return ok(undefined);
  }
  const before = previous.value?.directories ?? [];
  const done = applyInstall(files, plan.value, VERSION, before);
  if (!done.ok) return done;
  for (const notice of plan.value.notices) printErr(`${NAME}: ${notice}\n`);
  const { places, saves } = plan.value;
  printOut(`${NAME} ${VERSION}: ${places.length} files installed, ${saves.length} replaced\n`);
  return ok(undefined);
}

function planText({ directories, saves, places, removals, notices }: InstallPlan): string {
  const lines = [
    ...directories.map(({ path }) => `make ${path}/`),
    ...saves.map(({ path, to }) => `keep ${path} as ${to}`),
    ...places.map(({ path }) => `install ${path}`),
    ...removals.map(({ path }) => `remove ${path}`),
    ...notices.map((notice) => `note: ${notice}`),
  ];
  return lines.length === 0 ? "nothing to do\n" : `${lines.join("\n")}\n`;
}

function runUninstall(files: RootedFiles, { root }: Options): Result<void> {
  const layouts = Object.values(LAYOUTS);
  let found = 0;
  for (const paths of layouts) {
    const manifest = readManifest(files, paths);
    if (!manifest.ok) return manifest;
    if (manifest.value === undefined) continue;
    found += 1;
    const notices = uninstall(files, paths, manifest.value);
    if (!notices.ok) return notices;
    for (const notice of notices.value) printErr(`${NAME}: ${notice}\n`);
  }
  if (found === 0) {
    const places = layouts.map(manifestOf).join(" and no ");
    printErr(`${NAME}: nothing is installed below "${root}": there is no ${places}\n`);
  }
  return ok(undefined);
}

function readManifest(files: RootedFiles, paths: InstalledPaths): Result<Manifest | undefined> {
  const path = manifestOf(paths);
  const found = files.look(path);
  if (!found.ok) return found;
  if (found.value === undefined) return ok(undefined);
  const text = files.readText(path);
  return text.ok ? parseManifest(path, text.value) : text;
}
