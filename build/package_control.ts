/** What dpkg reads of a package besides its files: control, conffiles, md5sums and the maintainer scripts. */
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { LAYOUTS } from "../src/config/layouts.ts";
import { executableOf, type Layout, manifestOf } from "../src/install/layout.ts";
import type { Architecture } from "../src/install/locked_parts.ts";
import { SAMBA_VERSION, VERSION } from "../src/roles/role.ts";
import { filesBelow, UNIT_COPY } from "./package_tree.ts";

const SCRIPTS = join(import.meta.dir, "debian");
/** Debian's own has the same: the oldest C library that it is tried with. */
const LIBC = "libc6 (>= 2.34)";
/** With the epoch of Debian's packages of Samba: others compare with those. */
const PROVIDED = `2:${SAMBA_VERSION.major}.${SAMBA_VERSION.minor}.0+appliance${VERSION}`;

/** Writes DEBIAN/ into a tree that is complete. */
export function writeControl(root: string, layout: Layout, architecture: Architecture): void {
  const files = filesBelow(root);
  const directory = join(root, "DEBIAN");
  mkdirSync(directory);
  chmodSync(directory, 0o755);
  const conffiles = layout.files.filter(({ kind }) => kind !== "program").map(({ path }) => path);
  const write = (name: string, text: string, mode = 0o644): void => {
    writeFileSync(join(directory, name), text);
    chmodSync(join(directory, name), mode);
  };
  write("control", controlText(architecture, installedKilobytes(root, files)));
  write("conffiles", lines([...conffiles].sort()));
  write("md5sums", digests(root, files, new Set(conffiles)));
  for (const name of readdirSync(SCRIPTS)) {
    write(name, filled(readFileSync(join(SCRIPTS, name), "utf8"), layout), 0o755);
  }
}

function controlText(architecture: Architecture, kilobytes: number): string {
  return `Package: ctdb-appliance
Version: ${VERSION}
Architecture: ${architecture}
Multi-Arch: foreign
Maintainer: The authors of ctdb-appliance <ctdb-appliance@localhost>
Installed-Size: ${kilobytes}
Depends: ${LIBC}, iproute2
Recommends: ethtool, iptables, procps, psmisc, tdb-tools
Suggests: librados2, logrotate, lsof, openssh-client
Provides: ctdb (= ${PROVIDED})
Conflicts: ctdb
Replaces: ctdb
Section: net
Priority: optional
Description: clustered database, membership and failover under clustered Samba
 A whole CTDB in one executable: nodes elect a leader, recover, share the databases
 of smbd, run event scripts and move public addresses. It takes the place of the
 package ctdb: same paths, same sockets, same databases, same configuration, and
 one cluster with nodes that still have that package.
`;
}

/** As Debian counts: each file by itself in kibibytes, further names of a file not. */
function installedKilobytes(root: string, files: readonly string[]): number {
  const sizes = new Map<number, number>();
  for (const name of files) {
    const { ino, size } = lstatSync(join(root, name));
    sizes.set(ino, Math.ceil(size / 1024));
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function digests(root: string, files: readonly string[], conffiles: ReadonlySet<string>): string {
  const known = new Map<number, string>();
  const digest = (name: string): string => {
    const path = join(root, name);
    const { ino } = lstatSync(path);
    const value = known.get(ino) ?? createHash("md5").update(readFileSync(path)).digest("hex");
    known.set(ino, value);
    return value;
  };
  const listed = files.filter((name) => !conffiles.has(`/${name}`));
  return lines(listed.map((name) => `${digest(name)}  ${name}`));
}

/** The scripts name what the layout has. */
function filled(text: string, { paths, links }: Layout): string {
  const enabled = links.filter(({ onlyInNewDirectory }) => onlyInNewDirectory === true);
  const always = links.filter(({ onlyInNewDirectory }) => onlyInNewDirectory !== true);
  const installations = Object.values(LAYOUTS).map(
    (each) => `${manifestOf(each)}=${executableOf(each)}`,
  );
  const names = enabled.map(({ path }) => basename(path, ".script"));
  return text
    .replaceAll("@UNIT@", paths.unit)
    .replaceAll("@UNIT_COPY@", UNIT_COPY)
    .replaceAll("@INSTALLATIONS@", installations.join(" "))
    .replaceAll("@ENABLED@", names.join(" "))
    .replaceAll("@LINKS@", always.map(({ path }) => path).join(" "));
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}
