/** Everything that a release installs, in each layout. */
import { expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { LAYOUTS } from "../../src/config/layouts.ts";
import { executableOf } from "../../src/install/layout.ts";
import { shippedParts, shippedScripts } from "../../src/install/payload.macro.ts";
import { releaseLayout } from "../../src/roles/release_layout.ts";

const PREFIX = "/usr/local/";
const DEBIAN =
  /(?<!local|local\/var|\/mnt)\/(etc\/ctdb|usr\/share\/ctdb|usr\/libexec\/ctdb|run\/ctdb|var\/lib\/ctdb|var\/log\/ctdb|usr\/sbin\/ctdbd|usr\/bin\/ctdb)(?!\w|\\?-backups)/;

const { debian, upstream } = LAYOUTS;
const made = { debian: release(debian), upstream: release(upstream) };

function release(paths: typeof debian) {
  return releaseLayout(paths, shippedScripts(), shippedParts(), "amd64");
}

function textOf({
  path,
  content,
}: {
  readonly path: string;
  readonly content: Uint8Array;
}): string {
  return new TextDecoder().decode(path.endsWith(".gz") ? gunzipSync(content) : content);
}

function pathsOf({ paths, directories, files, links, roles }: typeof made.debian): string[] {
  const all = [...directories, ...files, ...links].map(({ path }) => path);
  return [...all, ...roles, executableOf(paths), paths.stateDirectory];
}

test("every path of Samba's layout is below its prefix, and nothing is there twice", () => {
  const all = pathsOf(made.upstream);
  expect(all.filter((path) => !path.startsWith(PREFIX))).toEqual([]);
  expect(all.length).toBe(new Set(all).size);
  expect(made.upstream.links.filter(({ target }) => !target.startsWith(PREFIX))).toEqual([]);
});

test("both layouts have the same files", () => {
  const names = (layout: typeof made.debian) =>
    [...layout.files, ...layout.links]
      .map(({ path }) => path.slice(path.lastIndexOf("/") + 1))
      .filter((name) => !["95.database.script", "sysvinit", "ctdb", "logrotate"].includes(name))
      .toSorted();
  expect(names(made.upstream)).toEqual(names(made.debian));
  expect(made.upstream.files.length).toBe(made.debian.files.length);
});

test("no text that is installed in Samba's layout speaks of Debian's paths", () => {
  const texts = made.upstream.files.filter(({ path }) => !path.includes("/doc/"));
  const wrong = texts.flatMap((file) =>
    textOf(file)
      .split("\n")
      .filter((line) => DEBIAN.test(line))
      .map((line) => `${file.path}: ${line}`),
  );
  expect(wrong).toEqual([]);
  // The pattern finds what it is for.
  const found = made.debian.files.filter((file) => DEBIAN.test(textOf(file)));
  expect(found.length).toBeGreaterThan(15);
});
