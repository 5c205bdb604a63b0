/**
 * Where everything of an installation goes: the paths of Debian's package `ctdb`. All paths are absolute, below the
 * root of the installation.
 */
import { textBytes } from "../base/byte_text.ts";

const LIBEXEC_DIRECTORY = "/usr/libexec/ctdb";
export const EXECUTABLE = `${LIBEXEC_DIRECTORY}/ctdb-appliance`;
/** What was installed, and what was replaced. */
export const STATE_DIRECTORY = "/var/lib/ctdb-appliance";
export const MANIFEST = `${STATE_DIRECTORY}/manifest.json`;
export const SAVED_DIRECTORY = `${STATE_DIRECTORY}/replaced`;
export const DPKG_STATUS = "/var/lib/dpkg/status";

export const UNIT = "/lib/systemd/system/ctdb.service";

const ETC = "/etc/ctdb";
const SHARE = "/usr/share/ctdb";
const DOCUMENTS = "/usr/share/doc/ctdb-appliance";

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
/** As Debian enables them. */
const ENABLED = ["00.ctdb", "01.reclock", "05.system", "10.interface"];
/** What programs of the system look for at a place of theirs: by the folder in the sources, and the name. */
const PLACES = new Map([
  ["systemd/ctdb.service", UNIT],
  ["systemd/ctdb.tmpfiles", "/usr/lib/tmpfiles.d/ctdb.conf"],
  ["system/logrotate", "/etc/logrotate.d/ctdb"],
  ["system/sysvinit", "/etc/init.d/ctdb"],
  // Event scripts need the functions of their release: their place in /etc is a link.
  ["events/functions", `${SHARE}/functions`],
]);
const DEFAULTS: readonly ShippedScript[] = [
  ["events/ctdb.conf", 0o644, "[logging]\n\tlocation = syslog\n\tlog level = NOTICE\n"],
  ["events/ctdb.tunables", 0o644, "# See ctdb-tunables(7): one Name=value a line.\n"],
];

/** `standIns`: names of programs that scripts find when the system has none of that name. */
export function debianLayout(
  roleNames: readonly string[],
  scripts: readonly ShippedScript[],
  standIns: readonly string[] = [],
): Layout {
  const roles = roleNames.filter((name) => !NOT_INSTALLED.has(name)).map(pathOfRole);
  return {
    directories: [
      { path: `${ETC}/events/legacy`, mode: 0o755 },
      { path: `${ETC}/events/notification`, mode: 0o755 },
      { path: "/var/lib/ctdb/persistent", mode: 0o700 },
      { path: "/var/lib/ctdb/state", mode: 0o700 },
      { path: "/var/lib/ctdb/volatile", mode: 0o700 },
      { path: "/var/log/ctdb", mode: 0o755 },
    ],
    files: [...scripts, ...DEFAULTS].map(installedFile),
    links: [
      { path: `${ETC}/functions`, target: `${SHARE}/functions` },
      { path: `${ETC}/statd-callout`, target: `${LIBEXEC_DIRECTORY}/statd_callout` },
      ...ENABLED.map((name) => ({
        path: `${ETC}/events/legacy/${name}.script`,
        target: `${SHARE}/events/legacy/${name}.script`,
        onlyInNewDirectory: true,
      })),
    ],
    roles: [...roles, ...standIns.map((name) => `${LIBEXEC_DIRECTORY}/applets/${name}`)],
  };
}

function pathOfRole(name: string): string {
  if (IN_SBIN.has(name)) return `/usr/sbin/${name}`;
  if (IN_BIN.has(name)) return `/usr/bin/${name}`;
  return `${LIBEXEC_DIRECTORY}/${name}`;
}

function installedFile([source, mode, text]: ShippedScript): InstalledFile {
  const { path, kind } = destination(source);
  return { path, kind, mode, content: textBytes(text) };
}

/** `source`: below scripts/, or in systemd/ or documents/ (payload.macro.ts). */
function destination(source: string): { readonly path: string; readonly kind: FileKind } {
  const [folder, ...rest] = source.split("/");
  const name = rest.join("/");
  const place = PLACES.get(source);
  if (place !== undefined)
    return { path: place, kind: folder === "system" ? "default" : "program" };
  if (folder === "documents") return { path: `${DOCUMENTS}/${name}`, kind: "program" };
  // Whoever runs Prometheus and Grafana takes them from there.
  if (folder === "alerts") return { path: `${SHARE}/${source}`, kind: "program" };
  if (folder === "bin") return { path: `/usr/bin/${name}`, kind: "program" };
  if (folder === "helpers") return { path: `${LIBEXEC_DIRECTORY}/${name}`, kind: "program" };
  if (name.startsWith("events/legacy/")) return { path: `${SHARE}/${name}`, kind: "program" };
  const isDefault = name === "ctdb.conf" || name === "ctdb.tunables" || name === "script.options";
  return { path: `${ETC}/${name}`, kind: isDefault ? "default" : "conffile" };
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
