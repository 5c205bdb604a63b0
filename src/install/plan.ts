/**
 * What an installation has to do, decided before anything is changed: nothing of the administrator's is lost, and
 * what was there before is kept for uninstall.
 */
import { err, ok, type Result } from "../base/result.ts";
import { type InstalledPaths, LAYOUTS } from "../config/layouts.ts";
import type { Found, InstallFiles } from "./files.ts";
import {
  executableOf,
  type FileKind,
  type Layout,
  manifestOf,
  savedDirectoryOf,
} from "./layout.ts";
import { EXECUTABLE_CONTENT, linkContent, type Manifest, type ManifestEntry } from "./manifest.ts";

/** What a path is to hold. */
export type Content =
  | { readonly is: "file"; readonly bytes: Uint8Array; readonly mode: number }
  | { readonly is: "link"; readonly target: string }
  /** The executable itself, and its other names. */
  | { readonly is: "executable" }
  | { readonly is: "role" };

export interface Placed {
  readonly path: string;
  readonly content: Content;
}

interface Directory {
  readonly path: string;
  readonly mode: number;
}

export interface InstallPlan {
  readonly paths: InstalledPaths;
  readonly directories: readonly Directory[];
  /** Copies of what is replaced. */
  readonly saves: readonly { readonly path: string; readonly to: string }[];
  readonly places: readonly Placed[];
  /** Of an earlier release, and unchanged since. */
  readonly removals: readonly ManifestEntry[];
  readonly entries: readonly ManifestEntry[];
  /** Sentences for the administrator. */
  readonly notices: readonly string[];
}

export interface PlanInput {
  readonly files: InstallFiles;
  readonly layout: Layout;
  readonly links: "hard" | "symlink";
  readonly previous: Manifest | undefined;
  /** md5 of configuration files as the package `ctdb` brought them, by path. */
  readonly packaged: ReadonlyMap<string, string>;
}

interface Wanted extends Placed {
  readonly kind: FileKind;
  /** As a manifest has it. */
  readonly text: string;
}

export function planInstall(input: PlanInput): Result<InstallPlan> {
  return new Planner(input).plan();
}

class Planner {
  readonly #input: PlanInput;
  readonly #executable: string;
  readonly #before: ReadonlyMap<string, ManifestEntry>;
  readonly #saves: { path: string; to: string }[] = [];
  readonly #places: Placed[] = [];
  readonly #entries: ManifestEntry[] = [];
  readonly #notices: string[] = [];
  #newExecutable = false;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#executable = executableOf(input.layout.paths);
    this.#before = new Map(input.previous?.entries.map((entry) => [entry.path, entry]) ?? []);
  }

  plan(): Result<InstallPlan> {
    const others = this.#otherLayouts();
    if (!others.ok) return others;
    const directories = this.#directories();
    if (!directories.ok) return directories;
    const executable = this.#input.files.executableDigest();
    if (!executable.ok) return executable;
    const made = new Set(directories.value.map(({ path }) => path));
    const wanted = this.#wanted(made, executable.value);
    for (const one of wanted) {
      const placed = this.#place(one);
      if (!placed.ok) return placed;
    }
    this.#keepEnabled(made);
    const paths = new Set(this.#entries.map(({ path }) => path));
    const removals = [...this.#before.values()].filter(({ path }) => !paths.has(path));
    return ok({
      paths: this.#input.layout.paths,
      directories: directories.value,
      saves: this.#saves,
      places: this.#places,
      removals,
      entries: this.#entries,
      notices: this.#notices,
    });
  }

  /**
   * An installation of ours in another layout has its configuration and databases there, and would not be taken along.
   * What others have installed there is theirs.
   */
  #otherLayouts(): Result<void> {
    const { files, layout } = this.#input;
    for (const other of Object.values(LAYOUTS)) {
      if (other === layout.paths) continue;
      const manifest = files.look(manifestOf(other));
      if (!manifest.ok) return manifest;
      if (manifest.value !== undefined) {
        return err(
          `"${manifestOf(other)}" says that the layout "${other.name}" is installed here, ` +
            `expected "${layout.paths.name}" or none: uninstall it first, and move ` +
            `"${other.etcDirectory}" and "${other.variableDirectory}" if they are to serve on`,
        );
      }
      const daemon = files.look(`${other.sbinDirectory}/ctdbd`);
      if (!daemon.ok) return daemon;
      if (daemon.value === undefined) continue;
      this.#notices.push(
        `"${other.sbinDirectory}/ctdbd" is another CTDB: run one of them only, and see that PATH finds its "ctdb" first`,
      );
    }
    return ok(undefined);
  }

  /** Those that are missing, with those above them first. */
  #directories(): Result<readonly Directory[]> {
    const { files, layout } = this.#input;
    const paths = [
      this.#executable,
      ...layout.roles,
      ...[...layout.files, ...layout.links].map(pathOf),
    ];
    const modes = new Map(layout.directories.map(({ path, mode }) => [path, mode]));
    const all = new Set([...modes.keys(), ...paths.map(above)].flatMap(withThoseAbove));
    const missing: Directory[] = [];
    for (const path of [...all].sort()) {
      const found = files.look(path);
      if (!found.ok) return found;
      if (found.value === undefined) missing.push({ path, mode: modes.get(path) ?? 0o755 });
      // A link to one is as good.
      else if (found.value.kind === "file" || found.value.kind === "other") {
        return err(`"${path}": expected a directory, found a file`);
      }
    }
    return ok(missing);
  }

  #wanted(newDirectories: ReadonlySet<string>, executable: string): readonly Wanted[] {
    const { layout, links, files } = this.#input;
    const role = (path: string): Wanted => {
      if (links === "hard") {
        return { path, kind: "program", content: { is: "role" }, text: EXECUTABLE_CONTENT };
      }
      return this.#link(path, this.#executable, "program");
    };
    return [
      {
        path: this.#executable,
        kind: "program",
        content: { is: "executable" },
        text: executable,
      },
      ...layout.roles.map(role),
      ...layout.files.map(({ path, kind, mode, content: bytes }): Wanted => {
        return { path, kind, content: { is: "file", bytes, mode }, text: files.digestOf(bytes) };
      }),
      ...layout.links
        .filter(({ path, onlyInNewDirectory }) => {
          return onlyInNewDirectory !== true || newDirectories.has(above(path));
        })
        .map(({ path, target }) => this.#link(path, target, "conffile")),
    ];
  }

  /** What an earlier installation has enabled is the administrator's now, and goes with uninstall. */
  #keepEnabled(newDirectories: ReadonlySet<string>): void {
    for (const { path, onlyInNewDirectory } of this.#input.layout.links) {
      const before = this.#before.get(path);
      if (onlyInNewDirectory !== true || before === undefined) continue;
      if (!newDirectories.has(above(path))) this.#entries.push(before);
    }
  }

  #link(path: string, target: string, kind: FileKind): Wanted {
    return { path, kind, content: { is: "link", target }, text: linkContent(target) };
  }

  #place(wanted: Wanted): Result<void> {
    const { path, kind, content, text } = wanted;
    const looked = this.#input.files.look(path);
    if (!looked.ok) return looked;
    const found = looked.value;
    const before = this.#before.get(path);
    if (found === undefined) {
      this.#write(wanted, before?.saved);
      return ok(undefined);
    }
    if (found.kind === "directory" || found.kind === "other") {
      const what = found.kind === "directory" ? "a directory" : "a special file";
      return err(`"${path}": expected a file or nothing, found ${what}`);
    }
    if (kind === "default") {
      if (before !== undefined) this.#entries.push(before);
      return ok(undefined);
    }
    const current = contentOf(this.#input.files, {
      path,
      found,
      before,
      executable: this.#executable,
    });
    if (!current.ok) return current;
    // A role is current only if its executable is.
    const isCurrent = current.value === text && !(content.is === "role" && this.#newExecutable);
    if (isCurrent) this.#entries.push(before ?? { path, content: text });
    else if (current.value === before?.content) this.#write(wanted, before.saved);
    else return this.#replace(wanted, found, before?.saved);
    return ok(undefined);
  }

  /** `saved`: what an earlier installation has replaced there, and somebody has replaced again. */
  #replace(wanted: Wanted, found: Found, saved: string | undefined): Result<void> {
    const { path, kind } = wanted;
    const edited = kind === "conffile" ? this.#isEdited(path, found) : ok(false);
    if (!edited.ok) return edited;
    const aside = edited.value || saved !== undefined;
    const to = aside
      ? this.#asideName(path)
      : ok(`${savedDirectoryOf(this.#input.layout.paths)}${path}`);
    if (!to.ok) return to;
    if (aside) this.#notices.push(`"${path}" was changed here: it is "${to.value}" now`);
    this.#saves.push({ path, to: to.value });
    this.#write(wanted, saved ?? to.value);
    return ok(undefined);
  }

  #isEdited(path: string, found: Found): Result<boolean> {
    const packaged = this.#input.packaged.get(path);
    if (found.kind !== "file" || packaged === undefined) return ok(true);
    const digest = this.#input.files.digest(path, "md5");
    return digest.ok ? ok(digest.value !== packaged) : digest;
  }

  #asideName(path: string): Result<string> {
    for (let number = 1; ; number++) {
      const name = `${path}.ctdb-old${number === 1 ? "" : `.${number}`}`;
      const found = this.#input.files.look(name);
      if (!found.ok) return found;
      if (found.value === undefined) return ok(name);
    }
  }

  #write({ path, content, text }: Wanted, saved: string | undefined): void {
    if (content.is === "executable") this.#newExecutable = true;
    this.#places.push({ path, content });
    this.#entries.push({ path, content: text, ...(saved === undefined ? {} : { saved }) });
  }
}

function pathOf({ path }: { readonly path: string }): string {
  return path;
}

function above(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Without the root. */
function withThoseAbove(path: string): readonly string[] {
  return path === "" ? [] : [...withThoseAbove(above(path)), path];
}

/** What is at a path, as a manifest has it. */
export function contentOf(
  files: InstallFiles,
  {
    path,
    found,
    before,
    executable,
  }: {
    readonly path: string;
    readonly found: Found;
    readonly before: ManifestEntry | undefined;
    readonly executable: string;
  },
): Result<string> {
  if (found.kind === "link") return ok(linkContent(found.target));
  if (found.kind === "file" && before?.content === EXECUTABLE_CONTENT) {
    const own = files.look(executable);
    if (!own.ok) return own;
    if (own.value?.kind === "file" && own.value.inode === found.inode) {
      return ok(EXECUTABLE_CONTENT);
    }
  }
  return files.digest(path, "sha256");
}
