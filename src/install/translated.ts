/**
 * What is installed is written with Debian's paths. In another layout each of them becomes that layout's, in scripts, units
 * and pages of the manual alike, as it is installed.
 */
import { type InstalledPaths, LAYOUTS } from "../config/layouts.ts";

/** Programs that texts name by their path: of others in those directories nothing is said. */
const PROGRAMS_IN_BIN = ["ctdb", "ctdb-appliance", "ltdbtool", "ping_pong", "onnode"];

/** Other places that scripts look at, which differ for another reason than their path. */
const UNIT_LINES: readonly (readonly [debian: string, elsewhere: string])[] = [
  // It stays from one start to the next: systemd makes and removes directories below /run only.
  ["RuntimeDirectory=ctdb\n", ""],
];

/** A text with the paths of a layout. */
export function translated(text: string, paths: InstalledPaths): string {
  if (paths === LAYOUTS.debian) return text;
  const rows = new Map(rowsOf(LAYOUTS.debian).map((path, at) => [path, rowsOf(paths)[at] ?? path]));
  return text.replace(pathPattern([...rows.keys()]), (path) => rows.get(path) ?? path);
}

/** The same for a unit of systemd. */
export function translatedUnit(text: string, paths: InstalledPaths): string {
  if (paths === LAYOUTS.debian) return text;
  const changed = UNIT_LINES.reduce((all, [line, other]) => all.replace(line, other), text);
  return translated(changed, paths);
}

function rowsOf(paths: InstalledPaths): readonly string[] {
  return [
    `${paths.sbinDirectory}/ctdbd`,
    ...PROGRAMS_IN_BIN.map((name) => `${paths.binDirectory}/${name}`),
    paths.helperDirectory,
    paths.etcDirectory,
    paths.dataDirectory,
    paths.variableDirectory,
    paths.runDirectory,
    paths.logDirectory,
    paths.stateDirectory,
    paths.documentDirectory,
  ];
}

/**
 * Whole paths, with what is below them: not the end of a longer one, and not the beginning of another name. Pages of the
 * manual have a font in front (`\fB`), and hyphens as `\-`.
 */
function pathPattern(paths: readonly string[]): RegExp {
  // The longer ones first: one is the beginning of another.
  const longerFirst = paths.toSorted((a, b) => b.length - a.length).join("|");
  return new RegExp(`(?<=^|[^\\w./]|\\\\f[A-Z])(?:${longerFirst})(?!\\w|\\\\?-)`, "gm");
}
