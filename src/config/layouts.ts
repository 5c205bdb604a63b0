/**
 * Where an installation has its files: Debian's places, and those of Samba's own build with its defaults (docs/operations.md,
 * "Paths"). An executable knows its layout by the directory it lies in, so that the same one serves in both.
 */

export type LayoutName = "debian" | "upstream";

export interface InstalledPaths {
  readonly name: LayoutName;
  /** ctdbd. */
  readonly sbinDirectory: string;
  /** What people call. */
  readonly binDirectory: string;
  readonly helperDirectory: string;
  readonly etcDirectory: string;
  readonly dataDirectory: string;
  readonly variableDirectory: string;
  readonly runDirectory: string;
  readonly logDirectory: string;
  readonly manualDirectory: string;
  readonly bashDirectory: string;
  readonly zshDirectory: string;
  readonly documentDirectory: string;
  readonly unit: string;
  readonly tmpfiles: string;
  readonly logrotate: string;
  readonly sysvinit: string;
  /** What was installed, and what was replaced. */
  readonly stateDirectory: string;
  /** Event scripts that are enabled where nobody has decided yet. */
  readonly enabled: readonly string[];
}

const debian: InstalledPaths = {
  name: "debian",
  sbinDirectory: "/usr/sbin",
  binDirectory: "/usr/bin",
  helperDirectory: "/usr/libexec/ctdb",
  etcDirectory: "/etc/ctdb",
  dataDirectory: "/usr/share/ctdb",
  variableDirectory: "/var/lib/ctdb",
  runDirectory: "/run/ctdb",
  logDirectory: "/var/log/ctdb",
  manualDirectory: "/usr/share/man",
  bashDirectory: "/usr/share/bash-completion/completions",
  zshDirectory: "/usr/share/zsh/vendor-completions",
  documentDirectory: "/usr/share/doc/ctdb-appliance",
  unit: "/lib/systemd/system/ctdb.service",
  tmpfiles: "/usr/lib/tmpfiles.d/ctdb.conf",
  logrotate: "/etc/logrotate.d/ctdb",
  sysvinit: "/etc/init.d/ctdb",
  stateDirectory: "/var/lib/ctdb-appliance",
  enabled: ["00.ctdb", "01.reclock", "05.system", "10.interface"],
};

/** Nothing lies outside the prefix, so logrotate and init find their files only by a link that somebody makes. */
const upstream: InstalledPaths = {
  name: "upstream",
  sbinDirectory: "/usr/local/sbin",
  binDirectory: "/usr/local/bin",
  helperDirectory: "/usr/local/libexec/ctdb",
  etcDirectory: "/usr/local/etc/ctdb",
  dataDirectory: "/usr/local/share/ctdb",
  variableDirectory: "/usr/local/var/lib/ctdb",
  runDirectory: "/usr/local/var/run/ctdb",
  logDirectory: "/usr/local/var/log",
  manualDirectory: "/usr/local/share/man",
  bashDirectory: "/usr/local/share/bash-completion/completions",
  zshDirectory: "/usr/local/share/zsh/site-functions",
  documentDirectory: "/usr/local/share/doc/ctdb-appliance",
  unit: "/usr/local/lib/systemd/system/ctdb.service",
  tmpfiles: "/usr/local/lib/tmpfiles.d/ctdb.conf",
  logrotate: "/usr/local/share/ctdb/system/logrotate",
  sysvinit: "/usr/local/share/ctdb/system/sysvinit",
  stateDirectory: "/usr/local/var/lib/ctdb-appliance",
  enabled: ["00.ctdb", "01.reclock", "05.system", "10.interface", "95.database"],
};

export const LAYOUTS: Readonly<Record<LayoutName, InstalledPaths>> = { debian, upstream };

/** Where merged directories of a system show the programs of `/usr`, too. */
const OTHER_NAMES = ["/sbin", "/bin"];

/** Where executables of a layout lie. */
export function programDirectories(paths: InstalledPaths): readonly string[] {
  return [paths.sbinDirectory, paths.binDirectory, paths.helperDirectory];
}

/** The layout of an executable that is installed; one that lies elsewhere has its helpers beside it. */
export function installedLayout(executableDirectory: string): InstalledPaths | undefined {
  if (OTHER_NAMES.includes(executableDirectory)) return debian;
  return Object.values(LAYOUTS).find((paths) =>
    programDirectories(paths).includes(executableDirectory),
  );
}

/** Whose configuration and databases an executable works with, wherever it lies. */
export function layoutOf(executableDirectory: string): InstalledPaths {
  return installedLayout(executableDirectory) ?? debian;
}
