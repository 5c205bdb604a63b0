/** The manual and the completions of this release, as an installation has them. */
import { gzipSync } from "node:zlib";
import { textBytes } from "../base/byte_text.ts";
import type { InstalledPaths } from "../config/layouts.ts";
import { resolvePaths } from "../config/paths.ts";
import type { Documents } from "../install/layout.ts";
import { translated } from "../install/translated.ts";
import { documentFiles } from "../manual/documents.ts";
import { VERSION } from "./role.ts";
import { APPLETS, ROLES } from "./table.ts";

const MODE = 0o644;
const COMPRESSION = 9;

/** The same bytes for the same release: the header of gzip has neither a time nor a name. */
export function installedDocuments(layout: InstalledPaths): Documents {
  const paths = resolvePaths({}, layout.sbinDirectory);
  if (!paths.ok) throw new Error(paths.error);
  const programs = { roles: ROLES, applets: APPLETS };
  const { files, links } = documentFiles(
    programs,
    `ctdb-appliance ${VERSION}`,
    paths.value,
    layout,
  );
  return {
    files: files.map(({ path, text, compressed }) => {
      const bytes = textBytes(translated(text, layout));
      return compressed
        ? { path: `${path}.gz`, mode: MODE, content: gzipped(bytes) }
        : { path, mode: MODE, content: bytes };
    }),
    links,
  };
}

function gzipped(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(gzipSync(bytes, { level: COMPRESSION }));
}
