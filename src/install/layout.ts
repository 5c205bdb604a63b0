/**
 * Where everything of an installation goes (src/config/layouts.ts). All paths are absolute, below the root of the
 * installation.
 */
import { textBytes } from "../base/byte_text.ts";
import type { InstalledPaths } from "../config/layouts.ts";
import { translated, translatedUnit } from "./translated.ts";

export const DPKG_STATUS = "/var/lib/dpkg/status";

/** The one file that has all names. */
export function executableOf({ helperDirectory }: InstalledPaths): string {
  return `${helperDirectory}/ctdb-appliance`;
}
export function manifestOf({ stateDirectory }: InstalledPaths): string {
  return `${stateDirectory}/manifest.json`;
}
export function savedDirectoryOf({ stateDirectory }: InstalledPaths): string {
  return `${stateDirectory}/replaced`;
}

/**
 * `program`: always replaced. `conffile`: what the administrator has changed is set aside under another name, since our
 * scripts need ours. `default`: written where there is none, and the administrator's from then on.
 */
export type FileKind = "program" | "conffile" | "default";

export interface InstalledFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly mode: number;
  readonly content: Uint8Array;
}

export interface InstalledLink {
  readonly path: string;
  readonly target: string;
  /** Only where there is none of its directory: which scripts are enabled is the administrator's. */
  readonly onlyInNewDirectory?: boolean;
}

export interface Layout {
  readonly paths: InstalledPaths;
  readonly directories: readonly { readonly path: string; readonly mode: number }[];
  readonly files: readonly InstalledFile[];
  readonly links: readonly InstalledLink[];
  /** Paths that are the executable under the name of a role. */
  readonly roles: readonly string[];
}

export type ShippedScript = readonly [path: string, mode: number, text: string];

const IN_SBIN = new Set(["ctdbd"]);
const IN_BIN = new Set(["ctdb", "ltdbtool", "ping_pong"]);
/** Only for a checkout. */
const NOT_INSTALLED = new Set(["ctdb-local", "ctdb_local_daemons"]);
const DEFAULTS: readonly ShippedScript[] = [
  ["events/ctdb.conf", 0o644, "[logging]\n\tlocation = syslog\n\tlog level = NOTICE\n"],
  ["events/ctdb.tunables", 0o644, "# See ctdb-tunables(7): one Name=value a line.\n"],
];

/** `standIns`: names of programs that scripts find when the system has none of that name. */
export function installedFiles(
  paths: InstalledPaths,
  roleNames: readonly string[],
  scripts: readonly ShippedScript[],
  standIns: readonly string[] = [],
): Layout {
  const { helperDirectory, etcDirectory, dataDirectory, variableDirectory } = paths;
  const roles = roleNames
    .filter((name) => !NOT_INSTALLED.has(name))
    .map((name) => pathOfRole(paths, name));
  return {
    paths,
    directories: [
      { path: `${etcDirectory}/events/legacy`, mode: 0o755 },
      { path: `${etcDirectory}/events/notification`, mode: 0o755 },
      { path: `${variableDirectory}/persistent`, mode: 0o700 },
      { path: `${variableDirectory}/state`, mode: 0o700 },
      { path: `${variableDirectory}/volatile`, mode: 0o700 },
      { path: paths.logDirectory, mode: 0o755 },
      ...runDirectoryOf(paths),
    ],
    files: [...scripts, ...DEFAULTS].map((script) => installedFile(paths, script)),
    links: [
      { path: `${etcDirectory}/functions`, target: `${dataDirectory}/functions` },
      { path: `${etcDirectory}/statd-callout`, target: `${helperDirectory}/statd_callout` },
      ...paths.enabled.map((name) => ({
        path: `${etcDirectory}/events/legacy/${name}.script`,
        target: `${dataDirectory}/events/legacy/${name}.script`,
        onlyInNewDirectory: true,
      })),
    ],
    roles: [...roles, ...standIns.map((name) => `${helperDirectory}/applets/${name}`)],
  };
}

/** Below /run it is gone with every start of the machine, and made anew by others. */
function runDirectoryOf({ runDirectory }: InstalledPaths): Layout["directories"] {
  return runDirectory.startsWith("/run/") ? [] : [{ path: runDirectory, mode: 0o755 }];
}

function pathOfRole(paths: InstalledPaths, name: string): string {
  if (IN_SBIN.has(name)) return `${paths.sbinDirectory}/${name}`;
  if (IN_BIN.has(name)) return `${paths.binDirectory}/${name}`;
  return `${paths.helperDirectory}/${name}`;
}

function installedFile(paths: InstalledPaths, [source, mode, text]: ShippedScript): InstalledFile {
  return { ...destination(paths, source), mode, content: textBytes(ownText(paths, source, text)) };
}

/** Documents speak of several layouts. */
function ownText(paths: InstalledPaths, source: string, text: string): string {
  if (source.startsWith("documents/")) return text;
  return source.startsWith("systemd/") ? translatedUnit(text, paths) : translated(text, paths);
}

/** What programs of the system look for at a place of theirs: by the folder in the sources, and the name. */
function placeOf(paths: InstalledPaths, source: string): string | undefined {
  switch (source) {
    case "systemd/ctdb.service":
      return paths.unit;
    case "systemd/ctdb.tmpfiles":
      return paths.tmpfiles;
    case "system/logrotate":
      return paths.logrotate;
    case "system/sysvinit":
      return paths.sysvinit;
    // Event scripts need the functions of their release: their place in /etc is a link.
    case "events/functions":
      return `${paths.dataDirectory}/functions`;
    default:
      return undefined;
  }
}

/** `source`: below scripts/, or in systemd/ or documents/ (payload.macro.ts). */
function destination(paths: InstalledPaths, source: string): Pick<InstalledFile, "path" | "kind"> {
  const [folder, ...rest] = source.split("/");
  const name = rest.join("/");
  const place = placeOf(paths, source);
  if (place !== undefined)
    return { path: place, kind: place.startsWith("/etc/") ? "default" : "program" };
  if (folder === "documents")
    return { path: `${paths.documentDirectory}/${name}`, kind: "program" };
  // Whoever runs Prometheus and Grafana takes them from there.
  if (folder === "alerts") return { path: `${paths.dataDirectory}/${source}`, kind: "program" };
  if (folder === "bin") return { path: `${paths.binDirectory}/${name}`, kind: "program" };
  if (folder === "helpers") return { path: `${paths.helperDirectory}/${name}`, kind: "program" };
  if (name.startsWith("events/legacy/")) {
    return { path: `${paths.dataDirectory}/${name}`, kind: "program" };
  }
  const isDefault = name === "ctdb.conf" || name === "ctdb.tunables" || name === "script.options";
  return { path: `${paths.etcDirectory}/${name}`, kind: isDefault ? "default" : "conffile" };
}

/** What is made of the tables, and not of files: the manual, completions. */
export interface Documents {
  readonly files: readonly Omit<InstalledFile, "kind">[];
  readonly links: readonly InstalledLink[];
}

export function withDocuments(layout: Layout, { files, links }: Documents): Layout {
  const ours = files.map((file): InstalledFile => ({ ...file, kind: "program" }));
  return { ...layout, files: [...layout.files, ...ours], links: [...layout.links, ...links] };
}
